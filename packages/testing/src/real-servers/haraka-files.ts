import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RealUser } from './real-server.js'
import { REAL_SERVER_BYTES, REFUSALS } from './real-server.js'

/** The settings from which Haraka's files are generated. */
export interface HarakaPlan {
  readonly folder: string
  readonly port: number
  readonly cert: string
  readonly key: string
  readonly users: readonly RealUser[]
}

/** Logs what happens, refuses by the rule, and discards every mail: nothing is ever delivered. */
const PLUGIN = `
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n')
const { recipient, recipientForNow, body, bodyForNow } = ${JSON.stringify(REFUSALS)}
exports.hook_init_master = (next) => {
  say({ ready: true })
  next()
}
exports.hook_connect = (next) => {
  say({ connection: true })
  next()
}
exports.hook_mail = (next) => next(OK)
exports.hook_rcpt = (next, connection, [{ user }]) => {
  if (user.startsWith(recipient)) next(DENY, 'Refused by the test')
  else if (user.startsWith(recipientForNow)) next(DENYSOFT, 'Refused by the test')
  else next(OK)
}
exports.hook_queue = (next, { transaction: { mail_from, rcpt_to, header } }) => {
  if (mail_from.user.startsWith(body)) return next(DENY, 'Refused by the test')
  if (mail_from.user.startsWith(bodyForNow)) return next(DENYSOFT, 'Refused by the test')
  const sender = mail_from.user + '@' + mail_from.host
  say({ taken: header.get('Subject').trim(), sender, recipients: rcpt_to.length })
  next(OK, 'thrown away')
}
// A client that is logged in may send to any address, and takes another path.
exports.hook_queue_outbound = exports.hook_queue
`

/** Settings for which Haraka has no defaults. */
const CONNECTION = `[headers]
max_lines=1000
max_received=100
[max]
bytes=${REAL_SERVER_BYTES}
mime_parts=1000
line_length=512
data_line_length=992
[message]
helo=hello
close=bye
[uuid]
banner_chars=6
deny_chars=0
`

/** Writes the configuration of a Haraka into its folder. */
export async function writeHarakaFiles({ folder, port, cert, key, users }: HarakaPlan): Promise<void> {
  await mkdir(join(folder, 'config'))
  await mkdir(join(folder, 'plugins'))
  const accounts = users.map(({ user, pass }) => `${user}=${pass}`).join('\n')
  const files = {
    'plugins/the_test.js': PLUGIN,
    'config/plugins': 'tls\nauth/flat_file\nthe_test\n',
    'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
    'config/connection.ini': CONNECTION,
    'config/auth_flat_file.ini': `[core]\nmethods=PLAIN,LOGIN,CRAM-MD5\nconstrain_sender=false\n[users]\n${accounts}\n`,
    // An email that the plugin failed to discard would be delivered.
    'config/outbound.ini': 'disabled=true\n',
    'config/databytes': String(REAL_SERVER_BYTES),
    'config/me': 'haraka.test\n',
    'config/tls_cert.pem': cert,
    'config/tls_key.pem': key,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
}
