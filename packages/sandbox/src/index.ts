export type { MailAddress } from './mail/addresses.js'
export type { MailHeader } from './mail/header-block.js'
export type { MailAddresses } from './mail/mail-addresses.js'
export type { MailAttachment, MailContent } from './mail/mail-content.js'
export type { MailEnvelope, SandboxMail } from './mail/sandbox-mail.js'
export type { StreamSetting } from './mail/stream.js'
export type { Verdict, VerdictProblem } from './mail/verdict.js'
export { assertNotSent, assertSent } from './match/assert-sent.js'
export type {
  AttachmentMatch,
  FieldsMatch,
  MailMatch,
  MetadataMatch,
  TextMatch,
  ValueMatcher,
} from './match/mail-match.js'
export type { WaitOptions } from './match/outbox.js'
export type { SentMatch, SentOptions } from './match/sent-mails.js'
export { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.js'
export type { SandboxBounce } from './server/bounce.js'
export type { KeepLimits } from './server/mail-store.js'
export { ODD_WEBHOOK_PAYLOADS, type OddWebhookPayload } from './server/odd-webhook-payloads.js'
export type { RecordType, SandboxEvent } from './server/sandbox-event.js'
export type { AccountState, SenderSetting } from './server/sender-rules.js'
export type { RefusedLogin, ServerEvents } from './server/server-events.js'
export type { ServerSettings } from './server/server-settings.js'
export type { SandboxSuppression, SuppressionReason } from './server/suppressions.js'
export { webhookPayload } from './server/webhook-payload.js'
export type { PayloadKind, WebhookPayload } from './server/webhook-samples.js'
export type { Certificate } from './smtp/certificate.js'
export type { SmtpTokenSetting } from './smtp/logins.js'
export type { SandboxWebhook, WebhookOptions, WebhookTrigger, WebhookTriggers } from './webhooks/webhook.js'
export type { WebhookAttempt } from './webhooks/webhook-attempt.js'
export type { SandboxWebhooks } from './webhooks/webhook-sender.js'
