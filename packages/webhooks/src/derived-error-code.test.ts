import { API_ERRORS } from '@postmark-smtp/core'
import { expect, it } from 'vitest'
import { deriveErrorCode } from './derived-error-code.js'
import { parseWebhook } from './parse-webhook.js'

it.each(Object.entries(API_ERRORS))('is %s where Postmark says its name', (code, { name }) => {
  expect(deriveErrorCode([name])).toBe(Number(code))
  expect(deriveErrorCode([undefined, ` ${name.toUpperCase()}: and more`])).toBe(Number(code))
})

it.each<[number, string]>([
  [300, "Invalid 'From' address: 'sender@example.com' is not a verified sender signature."],
  [300, "Invalid 'From' address: 'shop'."],
  [300, "Invalid 'From' value."],
  [300, "Invalid 'To' address: 'ann@'."],
  [300, "Invalid 'Cc' address: 'ann@'."],
  [300, "Invalid 'Bcc' address: 'ann@'."],
  [300, "Invalid 'ReplyTo' address: 'ann@'."],
  [300, "Error parsing 'To': Illegal email domain 'example..com' in address 'ann@example..com'"],
  [300, 'Zero recipients specified'],
  [300, 'Invalid email request: zero recipients specified.'],
  [300, 'Provide either email TextBody or HtmlBody or both.'],
  [
    400,
    "The 'From' address you supplied (me@example.org) is not a Sender Signature on your account. Please add and confirm this address in order to be able to use it in the 'From' field of your messages.",
  ],
  [400, "You're trying to send email with a From address that doesn't have a sender signature."],
  [
    401,
    'You’re trying to send email with a From address that doesn’t have a corresponding confirmed sender signature.',
  ],
  [401, "The 'From' address you supplied (me@example.org) is not confirmed. Please confirm this address."],
  [405, 'You ran out of credits.'],
  [406, 'You tried to send email to a recipient that has been marked as inactive.'],
  [
    406,
    'You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: ann@example.com. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression.',
  ],
  [411, 'Forbidden attachment type: attachments[0] ends in .exe.'],
  [412, 'The account that is associated with the send request is still pending approval.'],
  [
    412,
    "While your account is pending approval, all recipient addresses must share the same domain as the 'From' address.",
  ],
  [413, 'The account that is associated with the send request is not approved for sending.'],
  [1235, "The stream provided: 'nowhere' does not exist on this server."],
  [1235, 'The message stream was not found.'],
  [1236, "Sending is not supported on the supplied 'MessageStream'."],
])('is %i for: %s', (code, text) => {
  expect(deriveErrorCode([text])).toBe(code)
})

it.each<[string, (string | undefined)[]]>([
  ['nothing', [undefined, undefined]],
  ['words of no code', ['SMTP API error', 'The email could not be sent.']],
  ['a sender signature, which several codes are about', ['The sender signature is wrong.']],
  ['words of two codes', ['Inactive recipient', "The stream provided: 'x' does not exist on this server."]],
  ['a name amid other words', ['This account is not allowed to send before noon.']],
  ['words far behind', [`${'x'.repeat(2000)} marked as inactive`]],
])('is none for %s', (_title, texts) => {
  expect(deriveErrorCode(texts)).toBeUndefined()
})

const refused = { RecordType: 'Bounce', Type: 'SMTPApiError', Description: 'Inactive recipient' }

it('gives a rejected event its code, cause and cure', () => {
  const { cause, cure } = API_ERRORS[406]!
  expect(parseWebhook(refused)).toMatchObject({ kind: 'rejected', errorCode: 406, cause, cure })
})

it.each([
  ['details', { Details: 'ErrorCode: 412' }],
  ['content', { Content: 'Refused.\r\nErrorCode: 412' }],
])('yields to a code that stands in the %s', (_place, fields) => {
  expect(parseWebhook({ ...refused, ...fields })).toMatchObject({ errorCode: 412 })
})

it('is not derived from the content, which holds what the sender wrote', () => {
  const event = parseWebhook({ ...refused, Description: 'Refused', Content: 'Subject: Inactive recipient' })
  expect(event).toMatchObject({ kind: 'rejected', errorCode: undefined, cause: 'Refused' })
})
