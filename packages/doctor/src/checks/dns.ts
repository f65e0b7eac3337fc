import { isIP } from 'node:net'
import { isLoopback } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import { recordsOf } from '../dns-records.js'
import { type Examination, isPostmarkHost } from '../examination.js'
import { LateError, within } from '../within.js'
import { LINKS } from './links.js'

/** Whether the host names resolve. */
export const dns: Check = defineCheck({
  id: 'dns',
  title: 'DNS lookup',
  after: [],
  kinds: {
    'host-unknown': {
      level: 'fault',
      what: 'A host name does not exist.',
      cause: 'The name is misspelled, or the name servers of this machine do not know it.',
      cure: 'Check the host in the URL and the name servers of this machine.',
      link: LINKS.smtp,
    },
    'postmark-unknown': {
      level: 'fault',
      what: 'The name servers of this machine say that a Postmark host does not exist.',
      cause: 'This machine or container has no network, or a DNS filter blocks the name.',
      cure: 'Check the network and /etc/resolv.conf. If other names resolve, ask the people who run the name servers.',
      link: LINKS.smtp,
    },
    'dns-silent': {
      level: 'fault',
      what: 'The lookup of a host name gets no answer.',
      cause: 'This machine cannot reach its name servers.',
      cure: 'Check /etc/resolv.conf, and whether a firewall blocks outgoing port 53.',
      link: LINKS.smtp,
    },
    'dns-private': {
      level: 'warning',
      what: 'A Postmark host resolves to a private address.',
      cause: 'A hosts file, split DNS or a DNS filter answers instead of Postmark’s name servers.',
      cure: 'Remove the entry, unless the emails are meant to go to your own relay.',
      link: LINKS.smtp,
    },
    'resolver-silent': {
      level: 'warning',
      what: 'The system resolves the host, but DNS queries from this program get no answer.',
      cause: 'The name servers answer only the system resolver, so the doctor cannot read DNS records here.',
      cure: 'Check whether a firewall blocks outgoing port 53.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    // All at the same time, but reported in the order of the hosts.
    const seen = await Promise.all(examination.hosts.map((host) => lookAt(examination, host)))
    for (const { kind, text } of seen) {
      if (kind === undefined) report.fine(text)
      else report.found(kind, text)
    }
  },
})

/** What was seen of one host. */
interface Seen {
  readonly kind?: 'host-unknown' | 'postmark-unknown' | 'dns-silent' | 'dns-private' | 'resolver-silent'
  readonly text: string
}

async function lookAt(examination: Examination, host: string): Promise<Seen> {
  const { facts, lookup, patienceMs, signal } = examination
  if (isIP(host) > 0) {
    facts.addresses.set(host, [{ address: host, family: isIP(host) }])
    return { text: `${host} is an IP address` }
  }
  try {
    const found = await within(patienceMs, signal, lookup(host))
    if (found.length === 0) return { kind: 'dns-silent', text: `${host} has no address` }
    facts.addresses.set(host, found)
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    if (code === 'ENOTFOUND') {
      const kind = isPostmarkHost(host) ? 'postmark-unknown' : 'host-unknown'
      return { kind, text: `${host} does not exist` }
    }
    return { kind: 'dns-silent', text: `${host}: ${message}` }
  }
  return host === 'localhost' ? { text: 'localhost is this machine' } : readRecords(examination, host)
}

async function readRecords(examination: Examination, host: string): Promise<Seen> {
  const { resolver, facts } = examination
  let records: [readonly string[], readonly string[]]
  try {
    records = await Promise.all([
      recordsOf(examination, resolver.resolve4(host)),
      recordsOf(examination, resolver.resolve6(host)),
    ])
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    const why = error instanceof LateError ? message : (code ?? message)
    facts.queriesFail = `a query for ${host} failed: ${why}`
    return { kind: 'resolver-silent', text: facts.queriesFail }
  }
  const [v4, v6] = records
  const inUse = (facts.addresses.get(host) ?? []).map(({ address }) => address)
  // Only the system reads a hosts file. Loopback is set on purpose.
  const inside = [...v4, ...v6, ...inUse.filter((address) => !isLoopback(address))].find(isPrivate)
  if (isPostmarkHost(host) && inside !== undefined)
    return { kind: 'dns-private', text: `${host} resolves to ${inside}` }
  return { text: `${host}: ${v4.length} A, ${v6.length} AAAA; the system uses ${inUse.join(', ')}` }
}

/** Loopback, private (RFC 1918) and link-local addresses, and their IPv6 equivalents. */
function isPrivate(address: string): boolean {
  return /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|f[cd]|fe80:)/i.test(address)
}
