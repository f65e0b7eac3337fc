import { type Check, defineCheck } from '../check.js'
import { textsOf, whyUnbelieved } from '../dns-records.js'
import { domainOf, type Examination } from '../examination.js'
import { LINKS } from './links.js'

/** SPF and DMARC of the From domain. */
export const senderDns: Check = defineCheck({
  id: 'sender-dns',
  title: 'SPF and DMARC',
  after: ['dns'],
  needs: 'the From address',
  missing: ({ options }) => (options.from === undefined ? 'no From address is given (--from)' : undefined),
  kinds: {
    'records-unread': {
      level: 'warning',
      what: 'The DNS records of the From domain cannot be read.',
      cause: 'The name servers of the domain or of this machine do not answer.',
      cure: 'Check the name servers of the domain.',
      link: LINKS.dmarc,
    },
    'spf-twice': {
      level: 'warning',
      what: 'The From domain has more than one SPF record, which makes all of them invalid.',
      cause: 'A second service was added as a separate record.',
      cure: 'Merge them into one record that begins with v=spf1.',
      link: LINKS.spf,
    },
    'dmarc-missing': {
      level: 'warning',
      what: 'The From domain has no DMARC record. Large mailbox providers ask for one.',
      cause: 'No DMARC record was ever published.',
      cure: 'Publish a TXT record at _dmarc. Start with v=DMARC1; p=none and an address for reports.',
      link: LINKS.dmarc,
    },
    'dmarc-twice': {
      level: 'warning',
      what: 'The From domain has more than one DMARC record, which makes all of them invalid.',
      cause: 'A second record was added instead of changing the first.',
      cure: 'Keep only one.',
      link: LINKS.dmarc,
    },
    'dmarc-invalid': {
      level: 'warning',
      what: 'The DMARC record has no valid policy.',
      cause: 'The p tag is missing, or it is not none, quarantine or reject.',
      cure: 'Publish v=DMARC1; p=none (or quarantine, or reject).',
      link: LINKS.dmarc,
    },
    'dmarc-unaligned': {
      level: 'fault',
      what: 'The DMARC policy rejects or quarantines emails that are not aligned, but neither DKIM nor the Return-Path is verified.',
      cause: 'Postmark signs with its own domain until DKIM is verified for the From domain.',
      cure: 'Verify DKIM for the domain at Postmark before you enforce the policy.',
      link: LINKS.dmarc,
    },
  },
  async run(examination, report) {
    const domain = domainOf(examination.options.from!)
    const reason = await whyUnbelieved(examination)
    if (reason !== undefined) {
      report.skip(reason)
      return
    }
    let spf: string[]
    let dmarc: DmarcRecords
    try {
      spf = (await textsOf(examination, domain)).filter((text) => /^v=spf1( |$)/i.test(text))
      dmarc = await readDmarc(examination, domain)
    } catch (error) {
      report.found(
        'records-unread',
        `the records of ${domain} cannot be read: ${(error as { code?: string }).code ?? (error as Error).message}`,
      )
      return
    }
    if (spf.length > 1) report.found('spf-twice', `${domain} has ${spf.length} SPF records`)
    else
      report.fine(
        spf.length === 0
          ? `${domain} has no SPF record (Postmark does not need one)`
          : `${domain} has one SPF record, ${/spf\.mtasv\.net/i.test(spf[0]!) ? 'which includes Postmark' : 'without Postmark (it does not need to be there)'}`,
      )
    const { name, records } = dmarc
    const [record] = records
    const policy = record === undefined ? undefined : policyOf(record, name !== `_dmarc.${domain}`)
    if (record === undefined) report.found('dmarc-missing', `there is no DMARC record at _dmarc.${domain}`)
    else if (records.length > 1)
      report.found('dmarc-twice', `there are ${records.length} DMARC records at ${name}`)
    else if (policy === undefined || !/^(none|quarantine|reject)$/.test(policy))
      report.found('dmarc-invalid', `${name} has no valid policy: ${JSON.stringify(record.slice(0, 80))}`)
    else if (policy !== 'none' && examination.facts.isAligned === false)
      report.found(
        'dmarc-unaligned',
        `the policy of ${name} is ${policy}, but neither DKIM nor the Return-Path is verified`,
      )
    else report.fine(`the DMARC policy of ${name} is ${policy}`)
  },
})

/** The DMARC records, and the name they were found under. */
interface DmarcRecords {
  readonly name: string
  readonly records: readonly string[]
}

/** The policy of a record, or its policy for subdomains if the record belongs to a parent domain. */
function policyOf(record: string, isAbove: boolean): string | undefined {
  const tag = (name: string) =>
    new RegExp(`;\\s*${name}\\s*=\\s*(\\w+)`, 'i').exec(record)?.[1]?.toLowerCase()
  return (isAbove ? tag('sp') : undefined) ?? tag('p')
}

/** The records of the domain, or of the nearest domain above it that has one. */
async function readDmarc(examination: Examination, domain: string): Promise<DmarcRecords> {
  const labels = domain.split('.')
  for (let from = 0; from <= Math.max(0, labels.length - 2); from++) {
    const name = `_dmarc.${labels.slice(from).join('.')}`
    const records = (await textsOf(examination, name)).filter((text) => /^v=DMARC1/i.test(text))
    if (records.length > 0) return { name, records }
  }
  return { name: `_dmarc.${domain}`, records: [] }
}
