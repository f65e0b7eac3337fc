import { REAL_SERVER_BYTES, REFUSALS } from './real-server.js'

/** The settings from which Postfix's files are generated. */
export interface PostfixPlan {
  readonly folder: string
  readonly port: number
  readonly tls: boolean
  readonly mechanisms: readonly string[]
  readonly hardErrorLimit: number
}

/** The name of the host, and the realm of its users. */
export const POSTFIX_REALM = 'postfix.test'

/** File contents by file name. Everything is in one folder: no file of an installed Postfix is read or written. */
export function postfixFiles({
  folder,
  port,
  tls,
  mechanisms,
  hardErrorLimit,
}: PostfixPlan): Readonly<Record<string, string>> {
  return {
    'main.cf': toLines({
      compatibility_level: '3.6',
      queue_directory: `${folder}/queue`,
      data_directory: `${folder}/data`,
      // A container has no syslog.
      maillog_file: '/dev/stdout',
      myhostname: POSTFIX_REALM,
      mydestination: '',
      alias_maps: '',
      inet_protocols: 'ipv4',
      default_transport: 'discard',
      smtpd_recipient_restrictions: `check_recipient_access regexp:${folder}/recipients, permit_sasl_authenticated, reject`,
      // Senders are refused at MAIL, not only at RCPT.
      smtpd_delay_reject: 'no',
      smtpd_sender_restrictions: `check_sender_access regexp:${folder}/mail-from`,
      smtpd_end_of_data_restrictions: `check_sender_access regexp:${folder}/senders`,
      // After many refusals, Postfix slows a client down and then hangs up.
      smtpd_soft_error_limit: '1000',
      smtpd_hard_error_limit: String(hardErrorLimit),
      header_checks: `regexp:${folder}/headers`,
      message_size_limit: String(REAL_SERVER_BYTES),
      mailbox_size_limit: '0',
      smtpd_relay_restrictions: 'permit_sasl_authenticated, reject',
      smtpd_sasl_auth_enable: 'yes',
      smtpd_sasl_type: 'cyrus',
      smtpd_sasl_path: 'smtpd',
      cyrus_sasl_config_path: `${folder}/sasl`,
      smtpd_sasl_local_domain: POSTFIX_REALM,
      smtpd_tls_security_level: tls ? 'may' : 'none',
      smtpd_tls_chain_files: `${folder}/chain.pem`,
    }),
    'master.cf': [`127.0.0.1:${port} inet n - n - - smtpd`, ...SERVICES, ''].join('\n'),
    recipients: `/^${REFUSALS.recipient}/ 550 5.1.1 No such user\n/^${REFUSALS.recipientForNow}/ 450 4.2.0 Try again later\n`,
    'mail-from': `/^${REFUSALS.sender}/ 550 5.7.1 The sender is refused\n`,
    senders: `/^${REFUSALS.body}/ 554 5.7.1 The body is refused\n/^${REFUSALS.bodyForNow}/ 451 4.7.1 The body is refused for now\n`,
    // Logs the subject of each email.
    headers: '/^Subject:/ INFO\n',
    // The file that Cyrus SASL reads for the application `smtpd`. Debian's Postfix looks for it only here.
    'sasl/smtpd.conf': [
      'pwcheck_method: auxprop',
      'auxprop_plugin: sasldb',
      `sasldb_path: ${folder}/sasldb2`,
      `mech_list: ${mechanisms.join(' ')}`,
      '',
    ].join('\n'),
  }
}

/** The daemons that accept an email and discard it. None is in a chroot, because the users' file is outside. */
const SERVICES = [
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'discard unix - - n - - discard',
  'anvil unix - - n - 1 anvil',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'proxymap unix - - n - - proxymap',
  'postlog unix-dgram n - n - 1 postlogd',
]

function toLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}
