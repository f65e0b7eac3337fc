import { expect, expectTypeOf, it } from 'vitest'
import { createWebhookHandler, type WebhookEvent, type WebhookRequestInfo } from './index.js'

/** What Next.js calls a route handler with: a Request with more to it, and the parameters of the path. */
class NextRequest extends Request {
  readonly nextUrl: URL = new URL(this.url)
}
interface RouteContext {
  readonly params: Promise<Record<string, string | string[] | undefined>>
}

const SECRET = { name: 'x-secret', value: 'next-7b9d1f3a' }
const events: WebhookEvent[] = []
const POST = createWebhookHandler({ auth: { header: SECRET }, on: { any: (event) => events.push(event) } })

const post = (context?: unknown) =>
  POST(
    new NextRequest('http://localhost/webhooks/postmark', {
      method: 'POST',
      headers: { [SECRET.name]: SECRET.value },
      body: '{"RecordType":"Delivery"}',
    }),
    context,
  )

it('a handler type-checks as a route handler of Next.js, by each of the two ways in which Next.js asks', () => {
  type Reply = Response | undefined
  // Since 15.5 the generated types ask whether the export is assignable to this.
  expectTypeOf(POST).toExtend<(request: NextRequest, context: RouteContext) => Reply | Promise<Reply>>()
  // Before, they infer the second parameter, which must be the context or, as here, unknown.
  type Second<T> = T extends (...args: [never, infer C]) => unknown ? C : never
  expectTypeOf<Second<typeof POST>>().toEqualTypeOf<unknown>()
  type First<T> = T extends (...args: [infer R, never]) => unknown ? R : never
  expectTypeOf<First<typeof POST>>().toEqualTypeOf<Request>()
  expectTypeOf<ReturnType<typeof POST>>().toEqualTypeOf<Promise<Response>>()
})

it('a handler takes what we give it, and leaves alone what a framework gives', async () => {
  const info: WebhookRequestInfo = { body: { RecordType: 'Open' }, remoteAddress: '127.0.0.1' }
  const contexts = [info, { params: Promise.resolve({}) }, undefined, null, 'context', { remoteAddress: 7 }]
  for (const context of contexts) expect((await post(context)).status).toBe(200)
  expect(events.map(({ kind }) => kind)).toEqual(['opened', ...Array(5).fill('delivered')])
})
