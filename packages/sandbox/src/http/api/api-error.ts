import { isPostmarkError } from '@postmark-smtp/core'
import { HTTPException } from 'hono/http-exception'

/** The error codes of Postmark's API that the sandbox answers with. @see https://postmarkapp.com/developer/api/overview#error-codes */
export const API_CODES = {
  badToken: 10,
  invalidRequest: 300,
  invalidJson: 402,
  incompatibleJson: 403,
  invalidHookUrl: 606,
  serverName: 608,
  messageQuery: 700,
  noMessage: 701,
  bounceQuery: 1000,
  noBounce: 1001,
  cannotActivate: 1003,
  streamType: 1221,
  streamIdMissing: 1222,
  streamNameMissing: 1223,
  streamNameLong: 1224,
  tooManyStreams: 1225,
  noStream: 1226,
  streamIdInvalid: 1227,
  archiveDefault: 1229,
  streamIdTaken: 1230,
  descriptionLong: 1231,
  streamIdPrefix: 1233,
  unsubscribeHandling: 1240,
  hookStreamArchived: 1350,
  hookStreamInbound: 1351,
  noWebhook: 1352,
  hookUrl: 1354,
  hookBodyMissing: 1355,
  hookIdGiven: 1356,
  hookFixed: 1357,
  hookHeader: 1358,
  hookValue: 1361,
  hookUnverified: 1364,
  suppressionReason: 1404,
  suppressionOrigin: 1405,
  suppressionBody: 1409,
  tooManySuppressions: 1410,
} as const

/** Makes an error in Postmark's shape, `{ ErrorCode, Message }`, by default with the status 422. */
export function apiError(
  code: number,
  message: string,
  status: 401 | 404 | 405 | 413 | 422 | 429 | 500 = 422,
  details: Readonly<Record<string, unknown>> = {},
): HTTPException {
  const body = JSON.stringify({ ErrorCode: code, Message: message, ...details })
  const headers = { 'Content-Type': 'application/json' }
  return new HTTPException(status, { message, res: new Response(body, { status, headers }) })
}

/** The response for an error that a route threw. */
export function toErrorResponse(error: unknown): Response {
  if (error instanceof HTTPException) return error.getResponse()
  if (isPostmarkError(error)) {
    const { message, hint = '' } = error
    const text = message.includes(hint) ? message : `${message} ${hint}`
    return apiError(API_CODES.invalidRequest, text).getResponse()
  }
  // A bug in the sandbox. The client may see its text, because both are on the developer's side.
  return apiError(500, `The sandbox failed: ${String(error)}`, 500).getResponse()
}
