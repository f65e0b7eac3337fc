import { toAddressKey } from '@postmark-smtp/core'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { SandboxSuppression } from '../../server/suppressions.js'
import { toText } from './api-body.js'
import { API_CODES, apiError } from './api-error.js'
import type { ApiRequest, ApiRoute, JsonObject } from './api-route.js'
import { toEastern } from './eastern-time.js'
import { findStream } from './stream-routes.js'

const MOST_AT_ONCE = 50
const NOT_YOURS = 'You do not have the required authority to change this suppression.'
const NO_ADDRESS = 'An invalid email address was provided.'

/** @see https://postmarkapp.com/developer/api/suppressions-api */
export function suppressionRoutes(server: PostmarkServer): ApiRoute[] {
  const root = '/message-streams/:stream/suppressions'

  /** Makes one change for each address of a request. */
  async function each(
    request: ApiRequest,
    done: string,
    change: (address: string, stream: string) => string | null,
  ) {
    const stream = findStream(server, request.param('stream')).id
    const addresses = readAddresses(await request.body())
    const Suppressions = addresses.map((address) => {
      const Message = isAddress(address) ? change(address, stream) : NO_ADDRESS
      return { EmailAddress: address, Status: Message === null ? done : 'Failed', Message }
    })
    return { Suppressions }
  }

  return [
    { method: 'GET', path: `${root}/dump`, handle: (request) => dump(server, request) },
    {
      method: 'POST',
      path: root,
      handle: (request) =>
        each(request, 'Suppressed', (address, stream) => {
          if (find(server, address, stream)?.reason === 'SpamComplaint') return NOT_YOURS
          server.suppress(address, { stream })
          return null
        }),
    },
    {
      method: 'POST',
      path: `${root}/delete`,
      handle: (request) =>
        each(request, 'Deleted', (address, stream) => {
          const suppression = find(server, address, stream)
          if (suppression && !mayLift(suppression)) return NOT_YOURS
          server.unsuppress(address, { stream })
          return null
        }),
    },
  ]
}

function dump(server: PostmarkServer, { param, query }: ApiRequest) {
  const { id } = findStream(server, param('stream'))
  const reasons = ['HardBounce', 'SpamComplaint', 'ManualSuppression'] as const
  const reason = query.choice('suppressionreason', reasons, API_CODES.suppressionReason)
  const origin = query.choice('origin', ['Recipient', 'Customer', 'Admin'], API_CODES.suppressionOrigin)
  const address = query.get('emailaddress')
  const inPeriod = query.period()
  const found = server.suppressions.filter(
    (suppression) =>
      suppression.stream === id &&
      (reason === undefined || suppression.reason === reason) &&
      (origin === undefined || suppression.origin === origin) &&
      (address === undefined || toAddressKey(suppression.address) === toAddressKey(address)) &&
      inPeriod(suppression.at),
  )
  return { Suppressions: found.map(toJson) }
}

function toJson({ address, reason, origin, at }: SandboxSuppression) {
  return { EmailAddress: address, SuppressionReason: reason, Origin: origin, CreatedAt: toEastern(at) }
}

function find(server: PostmarkServer, address: string, stream: string): SandboxSuppression | undefined {
  const wanted = toAddressKey(address)
  return server.suppressions.find((one) => one.stream === stream && toAddressKey(one.address) === wanted)
}

/** The customer may not lift spam complaints, nor suppressions that recipients asked for. */
function mayLift({ reason, origin }: SandboxSuppression): boolean {
  return reason === 'HardBounce' || (reason === 'ManualSuppression' && origin !== 'Recipient')
}

function readAddresses({ Suppressions: list }: JsonObject): string[] {
  if (!Array.isArray(list))
    throw apiError(API_CODES.suppressionBody, 'A proper request body must be provided.')
  if (list.length > MOST_AT_ONCE) {
    const message = 'You cannot provide more than the maximum number of suppressions for this request.'
    throw apiError(API_CODES.tooManySuppressions, message)
  }
  return list.map((item: { EmailAddress?: unknown } | null) => toText(item?.EmailAddress, 'EmailAddress'))
}

/** Whether a string is an address and nothing else. */
export function isAddress(text: string): boolean {
  return /^[^\s@<>]+@[^\s@<>]+$/.test(text)
}
