import { POSTMARK_FIELDS } from '@postmark-smtp/core'
import type { ProbeLab } from './lab.js'

/** A question without a published answer, and how to answer it. */
export interface ProbeStep {
  readonly id: string
  readonly question: string
  /** What is sent, in words. */
  readonly sends: string
  /** What the answer is read from. */
  readonly looksAt: string
  /** The most emails that it sends. */
  readonly mails: number
  /** Runs the step. Its result goes into the report, without tokens and addresses. */
  run(lab: ProbeLab): Promise<unknown>
}

const TAG = POSTMARK_FIELDS.tag.header
const METADATA = POSTMARK_FIELDS.metadata.header
const STREAM = POSTMARK_FIELDS.messageStream.header

const FIELDS = 'the tag and the metadata in the API'
const FATE = 'the reply, and whether the API shows an email or a bounce'
const MAILS_ON_ONE = 40

/** A step that sends one email with special header lines and looks at the result. */
function head(id: string, question: string, ...lines: string[]): ProbeStep {
  const sends = `an email with ${lines.map((line) => `\`${line.replace('\r\n', '⏎')}\``).join(' and ')}`
  return { id, question, sends, looksAt: FIELDS, mails: 1, run: (lab) => lab.mail(id, { lines }) }
}

/** What `--probe` asks, in this order. Each recipient is one of Postmark’s test addresses. */
export const PROBE_STEPS: readonly ProbeStep[] = [
  {
    id: 'offers',
    question: 'What does EHLO offer today, before and after TLS?',
    sends: 'nothing',
    looksAt: 'the keywords of each host',
    mails: 0,
    run: (lab) => lab.offers(),
  },
  {
    id: 'api-test-login',
    question: 'Does SMTP accept POSTMARK_API_TEST, the test token of the REST API?',
    sends: 'one login',
    looksAt: 'the reply',
    mails: 0,
    run: (lab) => lab.tryLogin({ user: 'POSTMARK_API_TEST', pass: 'POSTMARK_API_TEST' }),
  },
  head('key-case', 'Does Postmark keep the case of a metadata key?', `${METADATA}orderId: 1`),
  head(
    'keys-by-case',
    'What happens to two metadata keys that differ only in case, which REST refuses?',
    `${METADATA}order: one`,
    `${METADATA}Order: two`,
  ),
  head('encoded-tag', 'Is an encoded word in a tag decoded?', `${TAG}: =?UTF-8?Q?caf=C3=A9?=`),
  head(
    'encoded-metadata',
    'Is an encoded word in a metadata value decoded?',
    `${METADATA}word: =?UTF-8?B?Y2Fmw6k=?=`,
  ),
  head('folded-tag', 'Is a folded tag unfolded?', `${TAG}: first\r\n second`),
  head(
    'folded-metadata',
    'Is a folded metadata value unfolded, even if its first line is empty?',
    `${METADATA}folded: first\r\n second`,
    `${METADATA}later:\r\n ${'x'.repeat(80)}`,
  ),
  head('two-tags', 'What happens to an email with two tags?', `${TAG}: first`, `${TAG}: second`),
  {
    ...head(
      'long-value',
      'Does an email with a metadata value of more than 80 characters vanish without a trace?',
      `${METADATA}long: ${'v'.repeat(110)}`,
    ),
    sends: 'an email with a metadata value of 110 characters',
    looksAt: FATE,
  },
  {
    id: 'no-body',
    question: 'Does SMTP refuse an email without text and HTML, as REST does?',
    sends: 'an email with an empty body',
    looksAt: FATE,
    mails: 1,
    run: (lab) => lab.mail('no-body', { body: '' }),
  },
  {
    id: 'no-to',
    question: 'Does SMTP refuse an email without a To line, as REST does?',
    sends: 'an email without To, Cc and Bcc',
    looksAt: FATE,
    mails: 1,
    run: (lab) => lab.mail('no-to', { hasTo: false }),
  },
  {
    id: 'two-froms',
    question: 'Does SMTP refuse an email with two From lines?',
    sends: 'an email with the same From line twice',
    looksAt: FATE,
    mails: 1,
    run: (lab) => lab.mail('two-froms', { froms: 2 }),
  },
  {
    id: 'refused-mail',
    question: 'What do the description and the dump of an SMTPApiError look like?',
    sends: 'an email to a message stream that does not exist',
    looksAt: 'the bounce and its dump',
    mails: 1,
    run: (lab) => lab.mail('refused-mail', { lines: [`${STREAM}: no-such-stream`], hasStream: false }),
  },
  {
    id: 'other-host',
    question: 'What happens to an email on the host for the other type of stream?',
    sends: 'an email of the stream to the other host',
    looksAt: FATE,
    mails: 1,
    run: (lab) => lab.mail('other-host', { isOtherHost: true }),
  },
  {
    id: 'token-and-header',
    question: 'Does the SMTP token override a header that names another stream?',
    sends: 'an email whose stream header is `inbound`, if the login is an SMTP token',
    looksAt: FATE,
    mails: 1,
    run: (lab) =>
      lab.usesServerToken
        ? Promise.resolve({ left: 'out, because the login is not an SMTP token' })
        : lab.mail('token-and-header', { lines: [`${STREAM}: inbound`], hasStream: false }),
  },
  {
    id: 'mails-per-connection',
    question: 'How many emails does one connection accept?',
    sends: `up to ${MAILS_ON_ONE} emails on one connection`,
    looksAt: 'whether and how the server ends the connection',
    mails: MAILS_ON_ONE,
    run: (lab) => lab.manyMails('mails-per-connection', MAILS_ON_ONE),
  },
  {
    id: 'idle',
    question: 'How long can a connection stay idle?',
    sends: 'nothing, but waits for at most ten minutes',
    looksAt: 'when and how the server ends the connection',
    mails: 0,
    run: (lab) => lab.idle(),
  },
]
