import { type Check, defineCheck } from '../check.js'
import { type Examination, isPostmarkHost } from '../examination.js'
import { LINKS } from './links.js'
import { openSession, type SessionFacts, type SessionFailure } from './open-session.js'
import type { PortProbe } from './probe-port.js'

const MIDDLEBOX = 'Something between this machine and Postmark hides STARTTLS, or another server answers.'
const SOON_DAYS = 14
const DAY_MS = 86_400_000

/** TLS and the certificate of each host. */
export const tls: Check = defineCheck({
  id: 'tls',
  title: 'TLS and certificate',
  after: ['ports'],
  kinds: {
    'starttls-missing': {
      level: 'fault',
      what: 'The server does not offer STARTTLS, or refuses it.',
      cause: MIDDLEBOX,
      cure: 'Try port 2525 or another network. Credentials are never sent without TLS.',
      link: LINKS.starttls,
    },
    middlebox: {
      level: 'fault',
      what: 'STARTTLS is missing, and the reply to EHLO is masked or names a host that is not Postmark’s.',
      cause: 'A firewall or proxy that rewrites SMTP answers instead of Postmark.',
      cure: 'Switch SMTP inspection off for this host, or use port 2525.',
      link: LINKS.starttls,
    },
    'certificate-expired': {
      level: 'fault',
      what: 'The certificate has expired or is not valid yet.',
      cause: 'The clock of this machine is wrong, or the server’s certificate was not renewed.',
      cure: 'Check the clock first, then status.postmarkapp.com. Never switch verification off.',
      link: LINKS.smtp,
    },
    'certificate-name': {
      level: 'fault',
      what: 'The certificate is for a different name than the host.',
      cause: 'The host in the URL is an alias or an IP address, or another server answers.',
      cure: 'Use the real host name: smtp.postmarkapp.com or smtp-broadcasts.postmarkapp.com.',
      link: LINKS.smtp,
    },
    'certificate-untrusted': {
      level: 'fault',
      what: 'The certificate is self-signed, or this machine does not trust its issuer.',
      cause:
        'A proxy that decrypts TLS answers, the trusted certificates of this machine are outdated, or the server is your own.',
      cure: 'For your own server, set its certificate with `tls: { ca }` or NODE_EXTRA_CA_CERTS. Never switch verification off.',
      link: LINKS.smtp,
    },
    'certificate-ends-soon': {
      level: 'warning',
      what: `The certificate expires within ${SOON_DAYS} days.`,
      cause: 'The certificate has not been renewed yet.',
      cure: 'Renew it if the server is your own. Postmark renews its certificates itself.',
      link: LINKS.smtp,
    },
    'tls-version': {
      level: 'fault',
      what: 'The server offers no safe version of TLS.',
      cause: 'An old server or proxy offers only TLS 1.0 or 1.1.',
      cure: 'Connect without the proxy, or update the server. TLS 1.2 is the minimum.',
      link: LINKS.smtp,
    },
    'port-without-tls': {
      level: 'warning',
      what: 'TLS fails on one port of a host but works on another.',
      cause: 'A firewall or proxy rewrites SMTP only on that port.',
      cure: 'Use only the other ports. Otherwise the transport loses time before it tries the next port.',
      link: LINKS.starttls,
    },
    'tls-failed': {
      level: 'fault',
      what: 'TLS fails for another reason.',
      cause: 'The connection was cut during the handshake, or the server did not answer.',
      cure: 'Try another port and another network.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    const { facts, hosts } = examination
    const isSafe = ({ tls: accepted }: SessionFacts) => facts.plaintext || accepted !== undefined
    const sessions = await Promise.all(
      greetedPorts(examination).map((probe) => openSession(examination, probe)),
    )
    for (const host of hosts) {
      const ofHost = sessions.filter(({ target }) => target.host === host)
      const session = ofHost.find((each) => isSafe(each) && !each.failure) ?? ofHost.find(isSafe) ?? ofHost[0]
      if (!session) continue
      facts.sessions.set(host, session)
      if (isSafe(session))
        for (const { target, failure } of ofHost.filter((each) => !isSafe(each)))
          report.found('port-without-tls', `${host}:${target.port}: ${failure?.message}`)
      const { failure, target, tls: accepted } = session
      const place = `${host}:${target.port}`
      if (facts.plaintext) report.fine(`${place}: not used, because the URL of this machine has plaintext=1`)
      else if (accepted) {
        const { protocol, subject, issuer, validTo } = accepted
        const days = Math.floor((validTo.getTime() - Date.now()) / DAY_MS)
        const text = `${place}: ${protocol}, certificate for ${subject} by ${issuer}, ${days} days left`
        if (days < SOON_DAYS) report.found('certificate-ends-soon', text)
        else report.fine(text)
      } else if (failure)
        report.found(classify(examination, session, failure), `${place}: ${failure.message}`)
    }
  },
})

/** The first address of each port that greeted. */
function greetedPorts({ facts }: Examination): PortProbe[] {
  const greeted = facts.probes.filter(({ state }) => state === 'greeted')
  return greeted.filter(
    (probe) => probe === greeted.find(({ host, port }) => host === probe.host && port === probe.port),
  )
}

function classify(examination: Examination, session: SessionFacts, failure: SessionFailure) {
  const { tlsCode = '', explanation, message } = failure
  if (explanation === 'starttls-missing') {
    const keywords = [...(session.before?.keywords.keys() ?? [])]
    const isMasked = keywords.some((keyword) => /^X{4,}/.test(keyword))
    const isOther =
      isPostmarkHost(examination.host) && !/postmarkapp\.com$|mtasv\.net$/i.test(session.ehloName)
    return isMasked || isOther ? 'middlebox' : 'starttls-missing'
  }
  if (/EXPIRED|NOT_YET_VALID/.test(tlsCode)) return 'certificate-expired'
  if (/ALTNAME|HOSTNAME/.test(tlsCode)) return 'certificate-name'
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_CA)/.test(tlsCode)) return 'certificate-untrusted'
  if (
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|unsupported protocol|protocol version/i.test(
      `${tlsCode} ${message}`,
    )
  )
    return 'tls-version'
  return 'tls-failed'
}
