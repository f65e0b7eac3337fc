import { toAddressKey } from '@postmark-smtp/core'
import { listOf } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

/** The addresses that the stream does not send to. */
export const suppressions: Check = defineCheck({
  id: 'suppressions',
  title: 'Suppressions',
  after: ['streams'],
  needs: SERVER_TOKEN,
  missing: missingServerToken,
  kinds: {
    'recipient-suppressed': {
      level: 'fault',
      what: 'The address of --send-to is suppressed on the stream, so an email to it bounces with error 406.',
      cause: 'An email to the address bounced, its owner complained, or it was suppressed by hand.',
      cure: 'Use another address, or reactivate this one if its owner asks you to.',
      link: LINKS.suppressions,
    },
  },
  async run({ api, caller, stream, options }, report) {
    const answer = await api!.ask(caller!, `/message-streams/${encodeURIComponent(stream)}/suppressions/dump`)
    const found = listOf(answer.Suppressions)
    const reasons = [...new Set(found.map(({ SuppressionReason }) => String(SuppressionReason)))]
    const counts = reasons.map(
      (reason) => `${found.filter(({ SuppressionReason }) => SuppressionReason === reason).length} ${reason}`,
    )
    const { sendTo } = options
    const isHit = found.some(
      ({ EmailAddress }) =>
        sendTo !== undefined && toAddressKey(String(EmailAddress)) === toAddressKey(sendTo),
    )
    if (isHit) report.found('recipient-suppressed', 'the address of --send-to is suppressed')
    report.fine(`${found.length} on ${stream}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`)
  },
})
