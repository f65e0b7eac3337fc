import { ApiFailure, type Caller, type Json, listOf } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { domainOf, type Examination } from '../examination.js'
import { LINKS } from './links.js'

/** Whether Postmark accepts emails from the From address. */
export const sender: Check = defineCheck({
  id: 'sender',
  title: 'Sender signature and domain',
  after: ['url'],
  needs: 'the From address and an account token',
  missing: ({ api, accountCaller, options }) => {
    if (options.from === undefined) return 'no From address is given (--from)'
    if (!accountCaller) return 'no account token is given (set POSTMARK_ACCOUNT_TOKEN)'
    return api ? undefined : 'no API URL is given (--api-url)'
  },
  kinds: {
    'account-token-refused': {
      level: 'fault',
      what: 'The REST API refuses the account token.',
      cause: 'The token was revoked, or it is a Server API token.',
      cure: 'Copy the account token again, from Account > API Tokens.',
      link: LINKS.api,
    },
    'from-unknown': {
      level: 'fault',
      what: 'The account has neither a sender signature for the From address nor its domain, so emails bounce with error 400.',
      cause: 'The domain was never added to the account, or the address is misspelled.',
      cure: 'Add the domain under Sender Signatures and verify it.',
      link: LINKS.domains,
    },
    'from-unconfirmed': {
      level: 'fault',
      what: 'The sender signature of the From address is not confirmed and its domain is not verified, so emails bounce with error 401.',
      cause: 'Nobody opened the link in the email that Postmark sent to the address.',
      cure: 'Open that link, or verify the whole domain with DKIM.',
      link: LINKS.signatures,
    },
    'dkim-unverified': {
      level: 'warning',
      what: 'DKIM is not verified for the From domain.',
      cause: 'The record is missing in DNS, or Postmark has not checked it since it was published.',
      cure: 'Publish the DKIM record that Postmark shows for the domain, then verify it.',
      link: LINKS.domains,
    },
    'return-path-unverified': {
      level: 'warning',
      what: 'The Return-Path of the From domain is not verified, so SPF is not aligned.',
      cause: 'The CNAME record for the custom Return-Path is missing in DNS.',
      cure: 'Publish a CNAME record that points the Return-Path domain to pm.mtasv.net, then verify it.',
      link: LINKS.domains,
    },
  },
  async run(examination, report) {
    const from = examination.options.from!.toLowerCase()
    const domainName = domainOf(from)
    let domain: Json | undefined
    let signature: Json | undefined
    try {
      domain = await find(
        examination,
        '/domains',
        'Domains',
        ({ Name }) => domainOf(String(Name)) === domainName,
      )
      signature = await find(
        examination,
        '/senders',
        'SenderSignatures',
        ({ EmailAddress }) => String(EmailAddress).toLowerCase() === from,
      )
      examination.facts.domain = await readDetails(examination, domain, signature)
    } catch (error) {
      // Any other failure says nothing about the token.
      if (!(error instanceof ApiFailure) || !/^40[13]$/.test(String(error.statusCode))) throw error
      report.found('account-token-refused', `the REST API refuses the token: ${error.message}`)
      return
    }
    const isVerified = domain?.DKIMVerified === true
    examination.facts.isAligned = isVerified || domain?.ReturnPathDomainVerified === true
    if (!domain && !signature)
      report.found('from-unknown', `the account has neither ${from} nor ${domainName}`)
    else if (!isVerified && signature?.Confirmed !== true)
      report.found(
        'from-unconfirmed',
        `${from}: ${signature ? 'the signature is not confirmed' : 'the domain is not verified'}`,
      )
    else
      report.fine(
        `${from} may send because its ${isVerified ? 'domain is verified' : 'signature is confirmed'}`,
      )
    if (!domain) return
    if (!isVerified) report.found('dkim-unverified', `DKIM is not verified for ${domainName}`)
    if (domain.ReturnPathDomainVerified === false)
      report.found('return-path-unverified', `the Return-Path is not verified for ${domainName}`)
  },
})

/** The details, which include the records; the lists say only what is verified. */
async function readDetails(
  { api, accountCaller }: Examination,
  domain: Json | undefined,
  signature: Json | undefined,
): Promise<Json | undefined> {
  if (!domain && !signature) return undefined
  const path = domain ? `/domains/${domain.ID}` : `/senders/${signature?.ID}`
  try {
    return await api!.ask(accountCaller as Caller, path)
  } catch (error) {
    // What the lists say still holds.
    if (error instanceof ApiFailure) return undefined
    throw error
  }
}

const PAGE = 500
const MOST_PAGES = 40

/** Looks through all pages of a list of the account. */
async function find(
  { api, accountCaller }: Examination,
  path: string,
  key: string,
  matches: (item: Json) => boolean,
): Promise<Json | undefined> {
  for (let number = 0; number < MOST_PAGES; number++) {
    const page = await api!.ask(accountCaller as Caller, `${path}?count=${PAGE}&offset=${number * PAGE}`)
    const items = listOf(page[key])
    const found = items.find(matches)
    if (found || items.length < PAGE) return found
  }
  return undefined
}
