import type { Json } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { recordsOf, textsOf, whyUnbelieved } from '../dns-records.js'
import { domainOf, type Examination } from '../examination.js'
import { LINKS } from './links.js'

const PUBLISH = 'Publish the record exactly as Postmark shows it for the domain, then click Verify there.'

/** The records of the From domain: what Postmark expects, compared with what DNS has. */
export const senderRecords: Check = defineCheck({
  id: 'sender-records',
  title: 'DKIM and Return-Path records',
  after: ['sender', 'dns'],
  needs: 'the From address and an account token',
  missing: ({ facts }) => (facts.domain ? undefined : 'the records that Postmark expects are not known'),
  kinds: {
    'dkim-record-gone': {
      level: 'fault',
      what: 'Postmark has verified DKIM and signs with its key, but DNS no longer has that key, so every signature fails.',
      cause: 'The record was later removed or changed, for example during a move to other name servers.',
      cure: 'Publish the record again, exactly as Postmark shows it.',
      link: LINKS.domains,
    },
    'dkim-record-missing': {
      level: 'warning',
      what: 'The DKIM record that Postmark expects is not in DNS.',
      cause: 'The record was not published, or it has not reached the name servers yet.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
    'dkim-record-doubled': {
      level: 'warning',
      what: 'The DKIM record is in DNS under a name that contains the domain twice.',
      cause: 'The full name was entered, and the DNS provider appended the domain to it.',
      cure: 'Enter the name without the domain at the end.',
      link: LINKS.domains,
    },
    'dkim-record-differs': {
      level: 'warning',
      what: 'DNS has a different DKIM key than the one Postmark expects.',
      cause: 'The value was cut off, or it belongs to an older key or another account.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
    'dkim-record-unasked': {
      level: 'warning',
      what: 'The DKIM record in DNS is correct, but Postmark has not verified it.',
      cause: 'Postmark has not checked the record since it was published.',
      cure: 'Click Verify for the domain at Postmark.',
      link: LINKS.domains,
    },
    'return-path-record-missing': {
      level: 'warning',
      what: 'The custom Return-Path has no CNAME record in DNS.',
      cause: 'The record was not published, or a proxy at the DNS provider replaces it with addresses.',
      cure: PUBLISH,
      link: LINKS.domains,
    },
    'return-path-record-differs': {
      level: 'warning',
      what: 'The CNAME record of the custom Return-Path does not point where Postmark expects.',
      cause: 'The record belongs to another service, or its target was misspelled.',
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
      else if (seen === 'right')
        report.found('dkim-record-unasked', `${host} is correct, but Postmark has not verified it`)
      else if (isVerified) report.found('dkim-record-gone', `${host} ${WORDS[seen]}`)
      else report.found(`dkim-record-${seen}`, `${host} ${WORDS[seen]}`)
    }
    await lookAtReturnPath(examination, domain, report)
  },
})

const WORDS = {
  missing: 'does not exist',
  differs: 'has a different key',
  doubled: 'does not exist; the record is under that name with the domain appended once more',
}

/** A key that Postmark shows. */
interface Key {
  readonly host: string
  readonly value: string
  readonly isVerified: boolean
}

/** The key in use, and the one that replaces it once it is verified. */
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
    report.fine('no custom Return-Path (Postmark does not need one)')
    return
  }
  const found = await recordsOf(examination, examination.resolver.resolveCname(name))
  const [target] = found.map((each) => each.toLowerCase().replace(/\.$/, ''))
  if (target === undefined) report.found('return-path-record-missing', `${name} has no CNAME record`)
  else if (target !== String(wanted).toLowerCase().replace(/\.$/, ''))
    report.found('return-path-record-differs', `${name} points to ${target}, not to ${wanted}`)
  else report.fine(`${name} points to ${target}`)
}
