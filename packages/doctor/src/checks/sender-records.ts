import type { Json } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { recordsOf, textsOf, whyUnbelieved } from '../dns-records.js'
import { domainOf, type Examination } from '../examination.js'
import { LINKS } from './links.js'

const PUBLISH = 'Publish the record exactly as Postmark shows it for the domain, then press Verify there.'

/** The records of the From domain: what Postmark asks for, against what DNS has. */
export const senderRecords: Check = defineCheck({
  id: 'sender-records',
  title: 'DKIM and Return-Path records',
  after: ['sender', 'dns'],
  needs: 'the From address, an account token',
  missing: ({ facts }) => (facts.domain ? undefined : 'the records that Postmark asks for are not known'),
  kinds: {
    'dkim-record-gone': {
      level: 'fault',
      what: 'Postmark has verified DKIM and signs with it, but DNS no longer has that key: every signature fails.',
      cause: 'The record was removed or changed since, as in a move to other name servers.',
      cure: 'Publish the record again exactly as Postmark shows it.',
      link: LINKS.domains,
    },
    'dkim-record-missing': {
      level: 'warning',
      what: 'The DKIM record that Postmark waits for is not in DNS.',
      cause: 'It was not published, or has not reached the name servers yet.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
    'dkim-record-doubled': {
      level: 'warning',
      what: 'The DKIM record is in DNS under a name that has the domain twice.',
      cause: 'The page of the DNS provider appends the domain to the name that was entered in full.',
      cure: 'Enter the name without the domain at its end.',
      link: LINKS.domains,
    },
    'dkim-record-differs': {
      level: 'warning',
      what: 'DNS has another DKIM key than the one that Postmark waits for.',
      cause: 'The value was cut, or is that of an older key or another account.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
    'dkim-record-unasked': {
      level: 'warning',
      what: 'The DKIM record is in DNS as it should be, and Postmark has not verified it.',
      cause: 'Postmark has not looked since it was published.',
      cure: 'Press Verify for the domain at Postmark.',
      link: LINKS.domains,
    },
    'return-path-record-missing': {
      level: 'warning',
      what: 'The custom Return-Path has no CNAME in DNS.',
      cause: 'It was not published, or a proxy of the DNS provider puts addresses in its place.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
    'return-path-record-differs': {
      level: 'warning',
      what: 'The CNAME of the custom Return-Path points elsewhere than Postmark asks for.',
      cause: 'The name belongs to another service, or was misspelled.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
  },
  async run(examination, report) {
    const domain = examination.facts.domain!
    const reason = await whyUnbelieved(examination)
    if (reason !== undefined) {
      report.skip(reason)
      return
    }
    const keys = keysOf(domain)
    if (keys.length === 0) report.fine('Postmark shows no DKIM record')
    for (const key of keys) {
      const { host, isVerified } = key
      const seen = await seeKey(examination, key)
      if (seen === 'right' && isVerified) report.fine(`${host} has the key that Postmark signs with`)
      else if (seen === 'right') report.found('dkim-record-unasked', host)
      else if (isVerified) report.found('dkim-record-gone', `${host} ${WORDS[seen]}`)
      else report.found(`dkim-record-${seen}`, `${host} ${WORDS[seen]}`)
    }
    await lookAtReturnPath(examination, domain, report)
  },
})

const WORDS = {
  missing: 'does not exist',
  differs: 'has another key',
  doubled: 'does not exist; the record is at that name with the domain once more',
}

/** A key that Postmark shows. */
interface Key {
  readonly host: string
  readonly value: string
  readonly isVerified: boolean
}

/** The key in use, and the one that takes its place once it is verified. */
function keysOf({ DKIMHost, DKIMTextValue, DKIMVerified, ...domain }: Json): Key[] {
  const keys = [
    { host: DKIMHost, value: DKIMTextValue, isVerified: DKIMVerified === true },
    { host: domain.DKIMPendingHost, value: domain.DKIMPendingTextValue, isVerified: false },
  ]
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  return keys.filter((key): key is Key => isText(key.host) && isText(key.value))
}

async function seeKey(examination: Examination, { host, value }: Key) {
  const found = await textsOf(examination, host)
  if (found.some((text) => publicKey(text) === publicKey(value))) return 'right'
  if (found.length > 0) return 'differs'
  const doubled = await textsOf(examination, `${host}.${domainOf(examination.options.from!)}`)
  return doubled.length > 0 ? 'doubled' : 'missing'
}

/** The tag p of a DKIM record, without the white space that may be in it. */
function publicKey(record: string): string | undefined {
  return /(?:^|;)\s*p\s*=([^;]*)/i.exec(record)?.[1]?.replaceAll(/\s/g, '')
}

async function lookAtReturnPath(
  examination: Examination,
  { ReturnPathDomain: name, ReturnPathDomainCNAMEValue: wanted = 'pm.mtasv.net' }: Json,
  report: {
    fine(text: string): void
    found(kind: 'return-path-record-missing' | 'return-path-record-differs', text: string): void
  },
): Promise<void> {
  if (typeof name !== 'string' || name === '') {
    report.fine('there is no custom Return-Path, which Postmark does not need')
    return
  }
  const found = await recordsOf(examination, examination.resolver.resolveCname(name))
  const [target] = found.map((each) => each.toLowerCase().replace(/\.$/, ''))
  if (target === undefined) report.found('return-path-record-missing', `${name} has no CNAME`)
  else if (target !== String(wanted).toLowerCase().replace(/\.$/, ''))
    report.found('return-path-record-differs', `${name} points to ${target}, not to ${wanted}`)
  else report.fine(`${name} points to ${target}`)
}
