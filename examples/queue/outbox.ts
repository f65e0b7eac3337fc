import {
  currentPostmark,
  deliveryOutcome,
  isPostmarkError,
  type PostmarkSentInfo,
  type PostmarkTransporter,
  runWithPostmark,
} from '@postmark-smtp/core'
import type { SendMailOptions } from 'nodemailer'
import type { ClientBase, Pool } from 'pg'

/** `db` must be in the transaction that the email is about: both are committed, or neither. */
export async function addMail(db: ClientBase, message: SendMailOptions): Promise<void> {
  const scope = currentPostmark() ?? {}
  await db.query('INSERT INTO mail_outbox (message, scope) VALUES ($1, $2)', [message, scope])
}

/** The row stays locked until its email is sent: others skip it, and a process that dies releases it. */
const NEXT = `SELECT id, message, scope FROM mail_outbox WHERE ended_at IS NULL AND due_at <= now()
  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`
const ENDED = 'UPDATE mail_outbox SET ended_at = clock_timestamp(), failure = $2 WHERE id = $1'
const LATER = `UPDATE mail_outbox SET attempts = attempts + 1, failure = $2,
  due_at = clock_timestamp() + least(30 * 2 ^ least(attempts, 10), 3600) * interval '1 second' WHERE id = $1`

/** Sends the email that is due first. Returns false if none is due. `transporter` must have the option `sendOnce`. */
export async function sendNext(pool: Pool, transporter: PostmarkTransporter): Promise<boolean> {
  const db = await pool.connect()
  // If the connection breaks while the email is being sent, the next query fails.
  db.on('error', ignore)
  try {
    await db.query('BEGIN')
    const [mail] = (await db.query(NEXT)).rows
    if (mail) {
      const send = () => transporter.sendMail({ ...mail.message, idempotencyKey: mail.id })
      await runWithPostmark(mail.scope, send, { inherit: false }).then(
        (info) => db.query(ENDED, [mail.id, whoIsLeftOut(info)]),
        (error: Error) => db.query(isFinal(error) ? ENDED : LATER, [mail.id, error.message]),
      )
    }
    await db.query('COMMIT')
    db.off('error', ignore).release()
    return mail !== undefined
  } catch (error) {
    // The lock ends with the connection. If the email was sent, the store knows.
    db.release(true)
    throw error
  }
}

function ignore(): void {}

/** Returns the recipients that the email did not go to, or null if it went to all. */
function whoIsLeftOut({ postmark: { suppressed }, rejected }: PostmarkSentInfo): string | null {
  if (suppressed) return `suppressed: ${suppressed.join(', ')}`
  return rejected.length > 0 ? `refused: ${rejected.join(', ')}` : null
}

const FINAL = [
  'ERR_POSTMARK_PREFLIGHT',
  'ERR_POSTMARK_FIELDS',
  'ERR_POSTMARK_SCOPE',
  'ERR_POSTMARK_SUPPRESSED',
  'ERR_POSTMARK_ONCE_CONFLICT',
]

/** Rejected by the server, or by the checks before it: another attempt would fail in the same way. */
function isFinal(error: Error & { code?: string }): boolean {
  if (!isPostmarkError(error)) return deliveryOutcome(error) === 'rejected' || error.code === 'EENVELOPE'
  // The outbox sets the key itself. It is refused only if the transporter has no store.
  return FINAL.includes(error.code) && error.problems.every(({ path }) => path !== 'idempotencyKey')
}
