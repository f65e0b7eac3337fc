import { toAddressKey } from '@postmark-smtp/core'
import { listOf } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

/** How many addresses the stream sends nothing to. */
export const suppressions: Check = defineCheck({
  id: 'suppressions',
  title: 'Suppressions',
  after: ['streams'],
  needs: SERVER_TOKEN,
  missing: missingServerToken,
  kinds: {
    'recipient-suppressed': {
      level: 'fault',
      what: 'The address of --send-to is suppressed on the stream: a mail to it is bounced with error 406.',
      cause: 'It bounced, complained, or was suppressed by hand.',
      cure: 'Use another address, or reactivate it if its owner asks for that.',
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
    if (isHit) report.found('recipient-suppressed', 'the recipient is on the list')
    report.fine(`${stream} has ${found.length}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`)
  },
})
