import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createWebhookHandler, type WebhookAuth, type WebhookHandlerOptions } from './index.js'

const LOGIN = { username: 'postmark', password: 'refused-7d2f4b6a8c' }
const HEADER = { name: 'X-Webhook-Secret', value: 'refused-header-1a3c5e' }
const basic = (user: string, password: string) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` })
const TRACE = { 'x-pm-webhook-trace-id': '2f6b' }

function start(auth: WebhookAuth, more: Partial<WebhookHandlerOptions> = {}) {
  const errors: (Error & { hint?: string })[] = []
  const onError = (error: unknown) => errors.push(error as Error)
  const handle = createWebhookHandler({ auth, on: {}, onError, ...more })
  const post = async (headers: Record<string, string> = {}) =>
    (await handle(new Request('http://localhost', { method: 'POST', headers, body: '{}' }))).status
  return { post, errors }
}

afterEach(() => vi.restoreAllMocks())

describe('a post whose secret is refused', () => {
  it.each<[string, WebhookAuth, Record<string, string>, string]>([
    ['no login', { basic: LOGIN }, {}, 'it has no Basic login.'],
    ['no header', { header: HEADER }, {}, 'it has no header X-Webhook-Secret.'],
    [
      'nothing at all',
      { basic: LOGIN, header: HEADER },
      {},
      'it has no Basic login, and no header X-Webhook-Secret.',
    ],
    [
      'another password',
      { basic: LOGIN },
      basic('postmark', 'other-secret-9'),
      'its Basic login is not in auth.basic.',
    ],
    [
      'another user',
      { basic: [LOGIN] },
      basic('other', LOGIN.password),
      'its Basic login is not in auth.basic.',
    ],
    [
      'another value of the header',
      { header: [HEADER] },
      { 'x-webhook-secret': 'other-secret-9' },
      'its header X-Webhook-Secret has none of the values in auth.header.',
    ],
    [
      'a login in place of a header',
      { header: HEADER },
      basic('postmark', HEADER.value),
      'it has a Basic login, but auth accepts only a header.',
    ],
    [
      'another scheme',
      { basic: LOGIN },
      { authorization: 'Bearer other-secret-9' },
      'its Authorization header is not a Basic login.',
    ],
  ])('is reported to onError with what it showed: %s', async (_what, auth, headers, reason) => {
    const { post, errors } = start(auth)
    expect(await post(headers)).toBe(401)
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'ERR_POSTMARK_WEBHOOK',
        message: expect.stringContaining(
          `A request was refused with 401: ${reason} If it came from Postmark`,
        ),
      }),
    ])
    expect(errors[0]?.message).toMatch(/dropped for good.* Compare the URL .* reconcile\(\)/)
    const shown = inspect(errors, { depth: 9, showHidden: true })
    for (const secret of [LOGIN.password, HEADER.value, 'other-secret-9', ...Object.values(headers)])
      expect(shown).not.toContain(secret)
  })

  it('is reported once per kind, and those that are Postmark’s apart from those that may be anybody’s', async () => {
    const { post, errors } = start({ basic: LOGIN })
    for (const headers of [
      {},
      {},
      basic('a', 'b'),
      basic('c', 'd'),
      { ...TRACE },
      TRACE,
      { ...basic('e', 'f'), ...TRACE },
    ])
      expect(await post(headers)).toBe(401)
    expect(await post(basic(LOGIN.username, LOGIN.password))).toBe(200)
    expect(await post()).toBe(401)
    expect(errors.map(({ message }) => message.replace(/\. .*/, '.'))).toEqual([
      'A request was refused with 401: it has no Basic login.',
      'A request was refused with 401: its Basic login is not in auth.basic.',
      'A request with the trace ID of a Postmark webhook was refused with 401: it has no Basic login.',
      'A request with the trace ID of a Postmark webhook was refused with 401: its Basic login is not in auth.basic.',
    ])
  })

  it('becomes a warning of the process where there is no onError', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { post } = start({ basic: LOGIN }, { onError: undefined })
    await post()
    await post()
    expect(warned.mock.calls).toEqual([
      [
        expect.objectContaining({
          message: expect.stringContaining('A request was refused with 401: it has no Basic login.'),
        }),
      ],
    ])
  })
})
