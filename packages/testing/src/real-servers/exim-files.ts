import { REAL_SERVER_BYTES, REFUSALS, type RealUser } from './real-server.js'

/** The settings from which Exim's configuration is generated. */
export interface EximPlan {
  readonly folder: string
  readonly port: number
  readonly tls: boolean
  readonly mechanisms: readonly string[]
  readonly users: readonly RealUser[]
  /** The user that Exim switches to. */
  readonly uid: number
  readonly hangsUpAfter: number
}

/** File contents by file name. Everything is in one folder: no file of an installed Exim is read or written. */
export function eximFiles(plan: EximPlan): Readonly<Record<string, string>> {
  const { users, uid } = plan
  return {
    'exim.conf': toConfiguration(plan),
    users: users.map(({ user, pass }) => `${user}: ${pass}\n`).join(''),
    // Debian's Exim starts only if it finds its user; libnss_wrapper shows it these files instead of those in /etc.
    passwd: `root:x:0:0:root:/root:/bin/sh\nDebian-exim:x:${uid}:${uid}::/:/bin/false\nmail:x:8:8::/:/bin/false\n`,
    group: `root:x:0:\nadm:x:4:\nDebian-exim:x:${uid}:\nmail:x:8:\n`,
  }
}

function toConfiguration({ folder, port, tls, mechanisms, hangsUpAfter }: EximPlan): string {
  const known = (user: string, pass: string) =>
    `server_condition = \${if eq{${pass}}{\${lookup{${user}}lsearch{${folder}/users}{$value}{nobody}}}}\n  server_set_id = ${user}`
  const authenticators: Readonly<Record<string, string>> = {
    PLAIN: `driver = plaintext\n  server_prompts = :\n  ${known('$auth2', '$auth3')}`,
    LOGIN: `driver = plaintext\n  server_prompts = <| Username: | Password:\n  ${known('$auth1', '$auth2')}`,
    'CRAM-MD5': `driver = cram_md5\n  server_secret = \${lookup{$auth1}lsearch{${folder}/users}{$value}fail}\n  server_set_id = $auth1`,
  }
  const offered = mechanisms.map(
    (name) =>
      `${name.toLowerCase().replace('-', '_')}:\n  public_name = ${name}\n  ${authenticators[name]}\n`,
  )
  return `
primary_hostname = exim.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
disable_ipv6 = true
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
log_selector = +subject +received_recipients +smtp_connection +smtp_no_mail
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_max_nonmail = ${hangsUpAfter}
smtp_accept_queue_per_connection = 0
message_size_limit = ${REAL_SERVER_BYTES}
# Emails stay in the spool: what it took is in its log.
queue_only = true
pipelining_advertise_hosts = *
auth_advertise_hosts = *
tls_advertise_hosts = ${tls ? '*' : ''}
tls_certificate = ${folder}/chain.pem
tls_privatekey = ${folder}/chain.pem
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data

begin acl
check_mail:
  deny condition = \${if match{$sender_address}{^${REFUSALS.sender}}}
       message = the sender is refused
  accept
check_rcpt:
  deny !authenticated = *
       message = authentication required
  deny condition = \${if match{$local_part}{^${REFUSALS.recipient}}}
       message = no such user
  defer condition = \${if match{$local_part}{^${REFUSALS.recipientForNow}}}
       message = try again later
  defer condition = \${if match{$local_part}{^${REFUSALS.recipientGoodbye}}}
       message = 421 4.7.0 not now
  accept
check_data:
  deny condition = \${if match{$sender_address}{^${REFUSALS.body}}}
       message = the body is refused
  defer condition = \${if match{$sender_address}{^${REFUSALS.bodyForNow}}}
       message = the body is refused for now
  accept

begin routers
away:
  driver = redirect
  data = :blackhole:

begin authenticators
${offered.join('')}`
}
