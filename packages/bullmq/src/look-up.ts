import type { SendOnceStore } from '@postmark-smtp/core'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { type MailClient, resolveUnknown } from '@postmark-smtp/webhooks'
import { checkMs } from './mail-job.js'

/** How to ask Postmark about an email whose outcome is unknown. */
export interface LookUpOptions {
  /** The `ServerClient` of the official `postmark` package, or any object with its methods for messages and bounces. */
  readonly client: MailClient
  /** The IDs of all streams that jobs use. An email on any other stream is not found, and would be sent again. */
  readonly streams: readonly string[]
  /** The pause between two look-ups of one email, in milliseconds. Default 60,000. */
  readonly everyMs?: number | undefined
  /**
   * How long an email must have been unknown before "not found" counts, in milliseconds. See `resolveUnknown` for what this
   * must cover. Default 600,000.
   */
  readonly waitMs?: number | undefined
  /** How long to keep looking before the job fails as unknown, in milliseconds. Default 86,400,000, a day. */
  readonly giveUpMs?: number | undefined
  /** What to do if Postmark does not list the email after `waitMs`: send it again, or fail the job as unknown. Default `repeat`. */
  readonly notFound?: 'repeat' | 'fail' | undefined
}

/** The result of a look-up: the store knows more now, the outcome is not known yet, or it never will be. */
type LookedUp = 'ask-store' | 'later' | 'given-up'

/** Looks for one email. */
export interface LookUp {
  readonly everyMs: number
  /** @param reference the value in the metadata of the email @param sinceMs how long the email has been unknown */
  find(reference: string, sinceMs: number): Promise<LookedUp>
}

const OPTIONS = ['client', 'streams', 'everyMs', 'waitMs', 'giveUpMs', 'notFound']

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function createLookUp(store: SendOnceStore, options: LookUpOptions): LookUp {
  refuseUnknown(options, OPTIONS)
  const {
    client,
    streams,
    everyMs = 60_000,
    waitMs = 600_000,
    giveUpMs = 86_400_000,
    notFound = 'repeat',
  } = options
  if (typeof client?.getOutboundMessages !== 'function')
    throw optionError('lookUp.client', client, 'an object with getOutboundMessages')
  if (!Array.isArray(streams) || streams.length === 0)
    throw optionError('lookUp.streams', streams, 'a list of stream IDs such as ["outbound"]')
  if (notFound !== 'repeat' && notFound !== 'fail')
    throw optionError('lookUp.notFound', notFound, '"repeat" or "fail"')
  checkMs('lookUp.everyMs', everyMs)
  checkMs('lookUp.waitMs', waitMs)
  checkMs('lookUp.giveUpMs', giveUpMs)

  const find = async (reference: string, sinceMs: number): Promise<LookedUp> => {
    const [resolution] = await resolveUnknown(only(store, reference, notFound), client, { streams, waitMs })
    if (resolution?.resolved === 'released' && notFound === 'fail') return 'given-up'
    // If the email is no longer unknown, another process has resolved it in the meantime.
    if (!resolution || resolution.resolved) return 'ask-store'
    return sinceMs >= giveUpMs ? 'given-up' : 'later'
  }
  return { everyMs, find }
}

/** The part of a store that holds one email. */
function only(store: SendOnceStore, reference: string, notFound: 'repeat' | 'fail') {
  return {
    async *unknowns() {
      for await (const unknown of store.unknowns())
        if (unknown.reference === reference) {
          yield unknown
          return
        }
    },
    resolve: (...[id, state, info]: Parameters<SendOnceStore['resolve']>) =>
      state === 'released' && notFound === 'fail' ? undefined : store.resolve(id, state, info),
  }
}
