import { API_ERRORS } from '@postmark-smtp/core/pure'
import { type BouncePage, reconcile } from '@postmark-smtp/webhooks'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

const DAY_MS = 86_400_000
const DAYS = 7

/** Emails that Postmark accepted over SMTP and refused later. */
export const refusals: Check = defineCheck({
  id: 'refusals',
  title: 'Refused emails',
  after: ['streams'],
  needs: SERVER_TOKEN,
  missing: missingServerToken,
  kinds: {
    'mails-refused': {
      level: 'warning',
      what: `In the last ${DAYS} days, Postmark accepted emails with 250 and refused them later (SMTPApiError). Each finding is one error code.`,
      cause: 'Postmark answers 250 to nearly everything and reports mistakes later as bounces.',
      cure: 'Read the error. preflight finds most mistakes before the email leaves.',
      link: LINKS.bounces,
    },
  },
  async run({ api, caller, stream, signal }, report) {
    const client = {
      getBounces: async ({
        count,
        offset,
        type,
        messageStream,
        fromDate,
        toDate,
      }: Record<string, unknown> = {}) => {
        const query = {
          count,
          offset,
          type,
          messagestream: messageStream,
          fromdate: fromDate,
          todate: toDate,
        }
        const search = new URLSearchParams()
        for (const [name, value] of Object.entries(query))
          if (value !== undefined) search.set(name, String(value))
        return (await api!.ask(caller!, `/bounces?${search}`)) as unknown as BouncePage
      },
      getBounceDump: async (id: number | string) =>
        (await api!.ask(caller!, `/bounces/${id}/dump`)) as unknown as { Body: string },
    }
    const byCode = new Map<number | undefined, number>()
    const since = new Date(Date.now() - DAYS * DAY_MS)
    const until = new Date(Date.now() + DAY_MS)
    const run = reconcile(client, { streams: [stream], since, until, retry: { attempts: 1 }, signal })
    for await (const event of run)
      if (event.kind === 'rejected') byCode.set(event.errorCode, (byCode.get(event.errorCode) ?? 0) + 1)
    for (const [code, count] of byCode) {
      const known = code === undefined ? undefined : API_ERRORS[code]
      const name =
        code === undefined ? 'without an error code' : `error ${code}${known ? `: ${known.name}` : ''}`
      report.found('mails-refused', `${count} × ${name}`, known && `${known.cause} ${known.cure}`)
    }
    if (byCode.size === 0) report.fine(`none on ${stream} in the last ${DAYS} days`)
  },
})
