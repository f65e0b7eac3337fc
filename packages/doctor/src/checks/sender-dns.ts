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
      what: 'The records of the From domain cannot be read.',
      cause: 'The name servers of the domain or of this machine give no answer.',
      cure: 'Check the name servers of the domain.',
      link: LINKS.dmarc,
    },
    'spf-twice': {
      level: 'warning',
      what: 'The From domain has more than one SPF record, which makes all of them void.',
      cause: 'A second service was added as a record of its own.',
      cure: 'Put everything into one record that begins with v=spf1.',
      link: LINKS.spf,
    },
    'dmarc-missing': {
      level: 'warning',
      what: 'The From domain has no DMARC record, which large mailbox providers ask for.',
      cause: 'None was ever published.',
      cure: 'Publish a TXT record at _dmarc: begin with v=DMARC1; p=none and an address for reports.',
      link: LINKS.dmarc,
    },
    'dmarc-twice': {
      level: 'warning',
      what: 'The From domain has more than one DMARC record, which makes all of them void.',
      cause: 'A second record was added in place of a change.',
      cure: 'Keep one.',
      link: LINKS.dmarc,
    },
    'dmarc-invalid': {
      level: 'warning',
      what: 'The DMARC record has no policy that is valid.',
      cause: 'The tag p is missing, or is not none, quarantine or reject.',
      cure: 'Write v=DMARC1; p=none (or quarantine, or reject).',
      link: LINKS.dmarc,
    },
    'dmarc-unaligned': {
      level: 'fault',
      what: 'The DMARC policy rejects or quarantines what is not aligned, and neither DKIM nor the Return-Path is verified.',
      cause: 'Postmark signs with a domain of its own until DKIM of the From domain is verified.',
      cure: 'Verify DKIM of the domain at Postmark before the policy is enforced.',
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
        `${domain}: ${(error as { code?: string }).code ?? (error as Error).message}`,
      )
      return
    }
    if (spf.length > 1) report.found('spf-twice', `${domain} has ${spf.length}`)
    else
      report.fine(
        spf.length === 0
          ? `${domain} has no SPF record, which Postmark does not need`
          : `${domain} has one SPF record${/spf\.mtasv\.net/i.test(spf[0]!) ? ' with Postmark' : ', without Postmark, which does no harm'}`,
      )
    const { name, records } = dmarc
    const [record] = records
    const policy = record === undefined ? undefined : policyOf(record, name !== `_dmarc.${domain}`)
    if (record === undefined) report.found('dmarc-missing', `there is none at _dmarc.${domain}`)
    else if (records.length > 1) report.found('dmarc-twice', `there are ${records.length} at ${name}`)
    else if (policy === undefined || !/^(none|quarantine|reject)$/.test(policy))
      report.found('dmarc-invalid', `${name}: ${JSON.stringify(record.slice(0, 80))}`)
    else if (policy !== 'none' && examination.facts.isAligned === false)
      report.found('dmarc-unaligned', `the policy of ${name} is ${policy}`)
    else report.fine(`the DMARC policy of ${name} is ${policy}`)
  },
})

/** What DMARC says, and where. */
interface DmarcRecords {
  readonly name: string
  readonly records: readonly string[]
}

/** The policy of a record; the one for subdomains where it belongs to a parent domain. */
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
