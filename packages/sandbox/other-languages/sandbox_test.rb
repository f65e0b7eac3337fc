# Tests the mail of an application with only Ruby's own library.
#
# Run it with the command that starts the sandbox:
#   SANDBOX='npx @postmark-smtp/sandbox' ruby sandbox_test.rb
require 'json'
require 'minitest/autorun'
require 'net/http'
require 'net/smtp'
require 'openssl'
require 'tmpdir'

TOKEN = '5a4db0c5-0000-4000-8000-000000000001'

# A sandbox as a process, and its control API.
class Sandbox
  attr_reader :port, :url, :ca

  def initialize
    @folder = Dir.mktmpdir
    @ca = File.join(@folder, 'ca.pem')
    flags = %W[--port 0 --http-port 0 --tls-name sandbox --ca-out #{@ca} --token #{TOKEN} --quiet]
    @process = IO.popen([*ENV.fetch('SANDBOX').split, *flags])
    banner = +''
    banner << @process.readline until banner.include?('Ctrl-C')
    @port = banner[/SMTP +127\.0\.0\.1:(\d+)/, 1].to_i
    @url = banner[%r{http://\S+:\d+}]
  end

  def close
    Process.kill('TERM', @process.pid)
    @process.close
    FileUtils.remove_entry(@folder)
  end

  def call(method, path, body = nil, **query)
    uri = URI(@url + path)
    uri.query = URI.encode_www_form(query) unless query.empty?
    request = Net::HTTP.const_get(method.capitalize).new(uri, 'Content-Type' => 'application/json')
    request.body = JSON.generate(body) if body
    response = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
    raise "#{response.code}: #{response.body}" unless response.is_a?(Net::HTTPSuccess)

    JSON.parse(response.body)
  end

  def wait(**match)
    call('get', '/sandbox/wait', **match)
  end
end

SANDBOX = Sandbox.new
Minitest.after_run { SANDBOX.close }

class ApplicationTest < Minitest::Test
  def setup
    SANDBOX.call('delete', '/sandbox/mails')
  end

  # Plays the application: SMTP with STARTTLS, verified as in production.
  def deliver(subject, headers = {})
    lines = { 'From' => 'shop@example.com', 'To' => 'ann@example.com', 'Subject' => subject }.merge(headers)
    text = lines.map { |name, value| "#{name}: #{value}\r\n" }.join + "\r\nConfirm at https://shop.example.com/confirm/42\r\n"
    context = OpenSSL::SSL::SSLContext.new
    context.set_params(ca_file: SANDBOX.ca, verify_mode: OpenSSL::SSL::VERIFY_PEER)
    smtp = Net::SMTP.new('localhost', SANDBOX.port)
    smtp.enable_starttls(context)
    smtp.start('app.example.com', TOKEN, TOKEN, :plain) do |client|
      client.send_message(text, 'shop@example.com', 'ann@example.com')
    end
  end

  def test_the_sandbox_is_up_and_its_certificate_is_the_one_of_the_file
    assert_equal({ 'Status' => 'ok' }, SANDBOX.call('get', '/health'))
    assert_equal File.read(SANDBOX.ca), Net::HTTP.get(URI("#{SANDBOX.url}/ca.pem"))
  end

  def test_nobody_trusts_it_without_the_file
    smtp = Net::SMTP.new('localhost', SANDBOX.port)
    context = OpenSSL::SSL::SSLContext.new
    context.set_params(verify_mode: OpenSSL::SSL::VERIFY_PEER)
    smtp.enable_starttls(context)
    assert_raises(OpenSSL::SSL::SSLError) { smtp.start('app.example.com', TOKEN, TOKEN, :plain) }
  end

  def test_a_mail_is_waited_for_and_its_link_followed
    deliver('Confirm your address', 'X-PM-Tag' => 'welcome', 'X-PM-Metadata-order-id' => '42')
    mail = SANDBOX.wait(to: 'ann@example.com', tag: 'welcome', 'metadata_order-id': '42')
    assert_equal ['https://shop.example.com/confirm/42'], mail['Links']
    assert_equal 'sent', mail['Verdict']['Outcome']
  end

  def test_the_verdicts_are_listed
    deliver('Fine')
    deliver('Lost', 'X-PM-Message-Stream' => 'nowhere')
    listed = SANDBOX.call('get', '/sandbox/mails')['Mails']
    assert_equal([%w[Lost refused], %w[Fine sent]], listed.map { |mail| [mail['Subject'], mail['Verdict']['Outcome']] })
    assert_equal 1235, listed[0]['Verdict']['Problems'][0]['ErrorCode']
  end

  def test_a_fault_strikes_once
    SANDBOX.call('post', '/sandbox/fail', { phase: 'dot', kind: 'reply', code: 451, text: '4.3.0 Later' })
    assert_match(/451/, assert_raises(Net::SMTPServerBusy) { deliver('First') }.message)
    deliver('Second')
    assert_equal 'sent', SANDBOX.wait(subject: 'Second')['Verdict']['Outcome']
  end

  def test_the_clock_can_be_moved_on
    before = SANDBOX.call('post', '/sandbox/advance', { ms: 0 })['Now']
    assert_operator SANDBOX.call('post', '/sandbox/advance', { ms: 3_600_000 })['Now'], :>, before
  end

  def test_a_suppressed_address_gets_nothing
    SANDBOX.call('post', '/sandbox/suppressions', { address: 'ann@example.com' })
    deliver('To Ann')
    assert_equal 406, SANDBOX.wait(subject: 'To Ann')['Verdict']['Problems'][0]['ErrorCode']
    SANDBOX.call('delete', '/sandbox/suppressions', { address: 'ann@example.com' })
    deliver('To Ann again')
    assert_equal 'sent', SANDBOX.wait(subject: 'To Ann again')['Verdict']['Outcome']
  end

  def test_the_mails_are_cleared
    deliver('One')
    assert_equal({ 'Removed' => 1 }, SANDBOX.call('delete', '/sandbox/mails'))
    assert_equal 0, SANDBOX.call('get', '/sandbox/mails')['TotalCount']
  end
end
