import type { PostmarkServer } from '../../server/postmark-server.js'
import type { SenderSetting } from '../../server/sender-rules.js'
import type { SuppressionReason } from '../../server/suppressions.js'
import { API_CODES, apiError } from '../api/api-error.js'
import { isAddress } from '../api/suppression-routes.js'
import type { ControlParameter, ControlRequest, ControlRoute } from './control-route.js'

/** Suppressions and senders. */
export function serverStateRoutes(server: PostmarkServer): ControlRoute[] {
  const senders = () => ({
    Senders:
      server.senders?.map(({ address, confirmed }) => ({ Address: address, Confirmed: confirmed ?? true })) ??
      null,
  })
  return [
    {
      method: 'GET',
      path: '/sandbox/suppressions',
      summary: 'List the suppressed addresses of all message streams',
      parameters: [],
      answer: '`Suppressions`',
      handle: () => ({
        Suppressions: server.suppressions.map(({ stream, address, reason, origin, at }) => ({
          MessageStream: stream,
          EmailAddress: address,
          SuppressionReason: reason,
          Origin: origin,
          CreatedAt: at.toISOString(),
        })),
      }),
    },
    {
      method: 'POST',
      path: '/sandbox/suppressions',
      summary: 'Suppress an address',
      parameters: [ADDRESS, STREAM, REASON],
      answer: '`Changed`, false if it was suppressed already',
      handle(request) {
        const stream = request.text('Stream')
        const reason = request.text('Reason') as SuppressionReason | undefined
        const options = { ...(stream && { stream }), ...(reason && { reason }) }
        return { Changed: server.suppress(addressOf(request), options) !== undefined }
      },
    },
    {
      method: 'DELETE',
      path: '/sandbox/suppressions',
      summary: 'Lift the suppression of an address, whatever its reason',
      parameters: [ADDRESS, STREAM],
      answer: '`Changed`, false if there was none',
      handle(request) {
        const stream = request.text('Stream')
        const lifted = server.unsuppress(addressOf(request), { ...(stream && { stream }) })
        return { Changed: lifted !== undefined }
      },
    },
    {
      method: 'GET',
      path: '/sandbox/senders',
      summary: 'List who may send',
      parameters: [],
      answer: '`Senders`, null if anyone may send',
      handle: senders,
    },
    {
      method: 'PUT',
      path: '/sandbox/senders',
      summary: 'Replace the list of who may send. Without `Senders`, anyone may',
      parameters: [SENDERS],
      answer: '`Senders`',
      handle(request) {
        server.replaceSenders(request.list('Senders')?.map(toSender))
        return senders()
      },
    },
    {
      method: 'POST',
      path: '/sandbox/senders',
      summary: 'Verify a sender: add it or confirm it. If anyone may send, nothing changes',
      parameters: [SENDER],
      answer: '`Senders`',
      handle(request) {
        server.verifySender(request.required('Address'))
        return senders()
      },
    },
  ]
}

/** Reads the address. Refuses one that no email can go to, because suppressing it would have no effect. */
function addressOf(request: ControlRequest): string {
  const address = request.required('Address')
  if (isAddress(address)) return address
  throw apiError(API_CODES.incompatibleJson, "'Address' must be like ann@example.com.")
}

/** A string, or an object whose keys may have any case. */
function toSender(given: unknown): string | SenderSetting {
  if (typeof given === 'string') return given
  const isKnown = (key: string) => /^(address|confirmed)$/i.test(key)
  if (typeof given !== 'object' || given === null || !Object.keys(given).every(isKnown)) {
    const wanted = "a string, or an object with 'Address' and 'Confirmed'"
    throw apiError(API_CODES.incompatibleJson, `Each of 'Senders' must be ${wanted}.`)
  }
  const { Address, Confirmed } = given as { Address: string; Confirmed?: boolean }
  return { address: Address, ...(Confirmed !== undefined && { confirmed: Confirmed }) }
}

const ADDRESS: ControlParameter = {
  name: 'Address',
  in: 'body',
  type: 'text',
  required: true,
  summary: 'The address',
}
const STREAM: ControlParameter = {
  name: 'Stream',
  in: 'body',
  type: 'text',
  summary: 'The message stream (default: `outbound`)',
}
const REASON: ControlParameter = {
  name: 'Reason',
  in: 'body',
  type: 'text',
  values: ['HardBounce', 'SpamComplaint', 'ManualSuppression'],
  summary: 'The reason (default: `ManualSuppression`)',
}
const SENDERS: ControlParameter = {
  name: 'Senders',
  in: 'body',
  type: 'list',
  summary: 'Domains and addresses, or `{ "Address": …, "Confirmed": false }`; null for anyone',
}
const SENDER: ControlParameter = {
  name: 'Address',
  in: 'body',
  type: 'text',
  required: true,
  summary: 'A domain or an address',
}
