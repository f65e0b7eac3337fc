"""Tests the mail of an application with only Python's own library.

Run it with the command that starts the sandbox:
    SANDBOX='npx @postmark-smtp/sandbox' python3 sandbox_test.py
"""

import json
import os
import re
import shlex
import smtplib
import ssl
import subprocess
import tempfile
import unittest
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

TOKEN = '5a4db0c5-0000-4000-8000-000000000001'


class Sandbox:
    """A sandbox as a process, and its control API."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.ca = Path(self.folder.name) / 'ca.pem'
        flags = ['--port', '0', '--http-port', '0', '--tls-name', 'sandbox', '--ca-out', str(self.ca)]
        command = shlex.split(os.environ['SANDBOX']) + flags + ['--token', TOKEN, '--quiet']
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        banner = ''
        for line in self.process.stdout:
            banner += line
            if 'Ctrl-C' in line:
                break
        self.port = int(re.search(r'SMTP +127\.0\.0\.1:(\d+)', banner)[1])
        self.url = re.search(r'http://\S+:\d+', banner)[0]

    def close(self):
        self.process.terminate()
        code = self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()
        return code

    def call(self, method, path, body=None, **query):
        url = self.url + path + ('?' + urlencode(query) if query else '')
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {'Content-Type': 'application/json'}, method=method)
        with urlopen(request, timeout=30) as response:
            return json.load(response)

    def wait(self, **match):
        return self.call('GET', '/sandbox/wait', **match)


def send(sandbox, subject, to='ann@example.com', cafile=None, **headers):
    """Plays the application: SMTP with STARTTLS, verified as in production."""
    message = EmailMessage()
    message['From'] = 'shop@example.com'
    message['To'] = to
    message['Subject'] = subject
    for name, value in headers.items():
        message['X-PM-' + name.replace('_', '-')] = value
    message.set_content('Confirm at https://shop.example.com/confirm/42')
    with smtplib.SMTP('localhost', sandbox.port, timeout=30) as client:
        client.starttls(context=ssl.create_default_context(cafile=cafile or sandbox.ca))
        client.login(TOKEN, TOKEN)
        client.send_message(message)


def hours(text):
    # Python before 3.11 does not read the Z.
    return round(datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() / 3600, 1)


class ApplicationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.addClassCleanup(lambda: cls.assertEqual(cls(), cls.sandbox.close(), 0))

    def setUp(self):
        self.sandbox.call('DELETE', '/sandbox/mails')

    def test_the_sandbox_is_up_and_its_certificate_is_the_one_of_the_file(self):
        self.assertEqual(self.sandbox.call('GET', '/health'), {'Status': 'ok'})
        with urlopen(self.sandbox.url + '/ca.pem') as response:
            self.assertEqual(response.read(), self.sandbox.ca.read_bytes())

    def test_nobody_trusts_it_without_the_file(self):
        context = ssl.create_default_context()
        with smtplib.SMTP('localhost', self.sandbox.port, timeout=30) as client:
            with self.assertRaises(ssl.SSLCertVerificationError):
                client.starttls(context=context)
            client.close()

    def test_it_is_trusted_under_the_name_of_its_container(self):
        context = ssl.create_default_context(cafile=self.sandbox.ca)
        with smtplib.SMTP('localhost', self.sandbox.port, timeout=30) as client:
            client._host = 'sandbox'
            client.starttls(context=context)
            self.assertEqual(client.ehlo()[0], 250)

    def test_a_mail_is_waited_for_and_its_link_followed(self):
        send(self.sandbox, 'Confirm your address', Tag='welcome', Metadata_order_id='42')
        mail = self.sandbox.wait(to='ANN@example.com', tag='welcome', **{'metadata_order-id': '42'})
        self.assertEqual(mail['Links'], ['https://shop.example.com/confirm/42'])
        self.assertEqual(mail['Verdict'], {'Outcome': 'sent', 'Problems': [], 'Notes': []})

    def test_a_mail_that_does_not_come_says_what_came(self):
        send(self.sandbox, 'Another')
        with self.assertRaises(HTTPError) as failed:
            self.sandbox.wait(subject='Confirm your address', timeoutMs=1)
        answer = json.load(failed.exception)
        self.assertEqual(failed.exception.code, 404)
        self.assertIn("subject 'Another'", answer['Message'])

    def test_the_verdicts_are_listed(self):
        send(self.sandbox, 'Fine')
        send(self.sandbox, 'Lost', Message_Stream='nowhere')
        listed = self.sandbox.call('GET', '/sandbox/mails')
        self.assertEqual(listed['TotalCount'], 2)
        verdicts = [(mail['Subject'], mail['Verdict']['Outcome']) for mail in listed['Mails']]
        self.assertEqual(verdicts, [('Lost', 'refused'), ('Fine', 'sent')])
        self.assertEqual(listed['Mails'][0]['Verdict']['Problems'][0]['ErrorCode'], 1235)

    def test_a_fault_strikes_once(self):
        self.sandbox.call('POST', '/sandbox/fail', {'phase': 'dot', 'kind': 'reply', 'code': 451, 'text': '4.3.0 Later'})
        with self.assertRaises(smtplib.SMTPDataError) as failed:
            send(self.sandbox, 'First')
        self.assertEqual(failed.exception.smtp_code, 451)
        send(self.sandbox, 'Second')
        self.assertEqual(self.sandbox.wait(subject='Second')['Verdict']['Outcome'], 'sent')

    def test_the_clock_can_be_moved_on(self):
        before = self.sandbox.call('POST', '/sandbox/advance', {'ms': 0})['Now']
        after = self.sandbox.call('POST', '/sandbox/advance', {'ms': 3_600_000})['Now']
        self.assertEqual(hours(after) - hours(before), 1)

    def test_a_suppressed_address_gets_nothing(self):
        self.sandbox.call('POST', '/sandbox/suppressions', {'Address': 'ann@example.com'})
        send(self.sandbox, 'To Ann')
        mail = self.sandbox.wait(subject='To Ann')
        self.assertEqual(mail['Verdict']['Problems'][0]['ErrorCode'], 406)
        self.sandbox.call('DELETE', '/sandbox/suppressions', {'Address': 'ann@example.com'})
        send(self.sandbox, 'To Ann again')
        self.assertEqual(self.sandbox.wait(subject='To Ann again')['Verdict']['Outcome'], 'sent')

    def test_recipients_open_click_bounce_and_complain(self):
        send(self.sandbox, 'Confirm your address')
        mail = '/sandbox/mails/' + self.sandbox.wait(subject='Confirm your address')['MessageID']
        self.assertTrue(self.sandbox.call('POST', mail + '/open', {})['FirstOpen'])
        self.assertEqual(self.sandbox.call('POST', mail + '/click', {})['OriginalLink'], 'https://shop.example.com/confirm/42')
        self.assertEqual(self.sandbox.call('POST', mail + '/bounce', {'Type': 'SoftBounce'})['Type'], 'SoftBounce')
        self.assertEqual(self.sandbox.call('POST', mail + '/complain', {})['RecordType'], 'SpamComplaint')

    def test_senders_can_be_verified(self):
        self.addCleanup(self.sandbox.call, 'PUT', '/sandbox/senders', {'Senders': None})
        self.sandbox.call('PUT', '/sandbox/senders', {'Senders': ['other.example']})
        send(self.sandbox, 'Too early')
        self.assertEqual(self.sandbox.wait(subject='Too early')['Verdict']['Problems'][0]['ErrorCode'], 400)
        self.sandbox.call('POST', '/sandbox/senders', {'Address': 'example.com'})
        send(self.sandbox, 'Now')
        self.assertEqual(self.sandbox.wait(subject='Now')['Verdict']['Outcome'], 'sent')

    def test_the_mails_are_cleared(self):
        send(self.sandbox, 'One')
        self.assertEqual(self.sandbox.call('DELETE', '/sandbox/mails'), {'Removed': 1})
        self.assertEqual(self.sandbox.call('GET', '/sandbox/mails')['TotalCount'], 0)


if __name__ == '__main__':
    unittest.main()
