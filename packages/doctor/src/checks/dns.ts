import { isIP } from 'node:net'
import { isLoopback } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import { recordsOf } from '../dns-records.js'
import { type Examination, isPostmarkHost } from '../examination.js'
import { LateError, within } from '../within.js'
import { LINKS } from './links.js'

/** The names of the hosts. */
export const dns: Check = defineCheck({
  id: 'dns',
  title: 'DNS of the hosts',
  after: [],
  kinds: {
    'host-unknown': {
      level: 'fault',
      what: 'The name of a host does not exist.',
      cause: 'The name is misspelled, or the name servers of this machine do not know it.',
      cure: 'Check the host in the URL, and the name servers of this machine.',
      link: LINKS.smtp,
    },
    'postmark-unknown': {
      level: 'fault',
      what: 'The name servers of this machine say that a host of Postmark does not exist.',
      cause: 'There is no network, as in a container without one, or a filter answers for the name.',
      cure: 'Check the network and /etc/resolv.conf. If other names are found, ask who runs the name servers.',
      link: LINKS.smtp,
    },
    'dns-silent': {
      level: 'fault',
      what: 'The system gives no answer for the name of a host.',
      cause: 'The name servers of this machine cannot be reached.',
      cure: 'Check /etc/resolv.conf, and whether a firewall lets port 53 out.',
      link: LINKS.smtp,
    },
    'dns-private': {
      level: 'warning',
      what: 'A host of Postmark resolves to a private address.',
      cause: 'A hosts file, a split DNS or a filter answers in the place of Postmark’s name servers.',
      cure: 'Remove the entry, unless a relay of your own is meant to take the mails.',
      link: LINKS.smtp,
    },
    'resolver-silent': {
      level: 'warning',
      what: 'The system finds the host, but DNS queries of this program get no answer.',
      cause:
        'The name servers answer only the resolver of the system, so records of domains cannot be read here.',
      cure: 'Check whether a firewall lets port 53 out.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    // All at once, and reported in the order of the hosts.
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
    return { text: `${host} is an address` }
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
  // A hosts file is asked by the system only. Loopback is somebody's own work.
  const inside = [...v4, ...v6, ...inUse.filter((address) => !isLoopback(address))].find(isPrivate)
  if (isPostmarkHost(host) && inside !== undefined)
    return { kind: 'dns-private', text: `${host} is ${inside}` }
  return { text: `${host}: ${v4.length} A, ${v6.length} AAAA; the system uses ${inUse.join(', ')}` }
}

/** Loopback, private (RFC 1918) and link-local addresses, and their likes in IPv6. */
function isPrivate(address: string): boolean {
  return /^(0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|f[cd]|fe80:)/i.test(address)
}
