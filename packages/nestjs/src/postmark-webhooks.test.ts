import {
  type INestApplication,
  Inject,
  Injectable,
  Logger,
  Module,
  type ModuleMetadata,
  VersioningType,
} from '@nestjs/common'
import { EventEmitterModule, OnEvent } from '@nestjs/event-emitter'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { currentPostmark } from '@postmark-smtp/core'
import { filter, firstValueFrom, map, mergeMap } from 'rxjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { PostmarkEventEmitter } from './event-emitter.js'
import {
  PostmarkEvents,
  PostmarkWebhooksModule,
  type PostmarkWebhooksOptions,
  type PostmarkWebhooksOptionsFactory,
  type RejectedEvent,
  type WebhookEvent,
} from './index.js'

const SECRET = 'nest-4b6d8f0a2c'
const auth = { basic: { username: 'postmark', password: SECRET } }
const authorization = `Basic ${btoa(`postmark:${SECRET}`)}`
const rejection = {
  RecordType: 'Bounce',
  Type: 'SMTPApiError',
  Details: 'ErrorCode: 406',
  Email: 'ann@example.com',
  Metadata: { 'correlation-id': 'c-17' },
}

const open: INestApplication[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
})
type Adapt = (app: INestApplication) => void
async function start(metadata: ModuleMetadata, adapt: Adapt = () => {}, fastify = false) {
  const module = await Test.createTestingModule(metadata).compile()
  const options = { logger: false } as const
  const app = fastify
    ? module.createNestApplication(new FastifyAdapter(), options)
    : module.createNestApplication(options)
  adapt(app)
  open.push(app)
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const post = async (body: unknown = rejection, path = '/webhooks/postmark', headers: object = {}) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, text: await response.text() }
  }
  return { app, post, events: () => app.get(PostmarkEvents, { strict: false }) }
}

describe.each([
  ['Express', false],
  ['Fastify', true],
])('PostmarkWebhooksModule on %s', (_name, fastify) => {
  it('takes events, hands them to handlers and observers, and refuses who has no secret', async () => {
    const handled: WebhookEvent[] = []
    const observed: WebhookEvent[] = []
    const on = { rejected: (event: RejectedEvent) => handled.push(event) }
    const module = PostmarkWebhooksModule.forRoot({ auth, on })
    const { post, events } = await start({ imports: [module] }, undefined, fastify)
    events().events$.subscribe((event) => observed.push(event))
    expect(await post()).toEqual({ status: 200, text: 'OK' })
    expect((await post(rejection, undefined, { authorization: 'Basic eDp5' })).status).toBe(401)
    expect(handled).toMatchObject([{ kind: 'rejected', errorCode: 406, correlationId: 'c-17' }])
    expect(observed).toEqual(handled)
  })

  it('has Postmark post again what a handler did not take, and keeps it from observers until then', async () => {
    let calls = 0
    const observed: string[] = []
    const errors: unknown[] = []
    const any = () => {
      calls += 1
      if (calls === 1) throw new Error('no')
    }
    const module = PostmarkWebhooksModule.forRoot({
      auth,
      on: { any },
      onError: (error) => errors.push(error),
    })
    const { post, events } = await start({ imports: [module] }, undefined, fastify)
    events().events$.subscribe(({ kind }) => observed.push(kind))
    expect((await post()).status).toBe(500)
    expect(observed).toEqual([])
    expect((await post()).status).toBe(200)
    expect((await post()).status).toBe(200)
    expect(observed).toEqual(['rejected'])
    expect(errors).toEqual([new Error('no')])
  })

  it('reads the body itself where Nest has no parser, and takes one that a parser kept as text', async () => {
    if (fastify) {
      const asText = (app: INestApplication) => {
        const instance = app.getHttpAdapter().getInstance()
        const keep = (_request: object, body: string, done: (error: null, body: string) => void) =>
          done(null, body)
        instance.removeAllContentTypeParsers()
        instance.addContentTypeParser('*', { parseAs: 'string' }, keep)
      }
      const { post } = await start({ imports: [PostmarkWebhooksModule.forRoot({ auth })] }, asText, true)
      expect((await post()).status).toBe(200)
    } else {
      const module = await Test.createTestingModule({
        imports: [PostmarkWebhooksModule.forRoot({ auth })],
      }).compile()
      const app = module.createNestApplication({ bodyParser: false, logger: false })
      open.push(app)
      await app.listen(0, '127.0.0.1')
      const init = { method: 'POST', headers: { authorization }, body: JSON.stringify(rejection) }
      expect((await fetch(`${await app.getUrl()}/webhooks/postmark`, init)).status).toBe(200)
    }
  })

  it('reads an ID beyond 2^53 exactly where Nest keeps the raw body', async () => {
    const ids: unknown[] = []
    const on = { bounced: ({ bounceId }: { bounceId: unknown }) => ids.push(bounceId) }
    const module = await Test.createTestingModule({
      imports: [PostmarkWebhooksModule.forRoot({ auth, on })],
    }).compile()
    const options = { logger: false, rawBody: true } as const
    const app = fastify
      ? module.createNestApplication(new FastifyAdapter(), options)
      : module.createNestApplication(options)
    open.push(app)
    await app.listen(0, '127.0.0.1')
    const response = await fetch(`${await app.getUrl()}/webhooks/postmark`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"RecordType":"Bounce","Type":"HardBounce","ID":4323372036854775807}',
    })
    expect(response.status).toBe(200)
    expect(ids).toEqual(['4323372036854775807'])
  })

  it('stands at a path of your own, below a global prefix, in every version', async () => {
    const paths = [{ path: 'hooks/main' }, { path: '/hooks/inbound' }]
    const imports = paths.map((path) => PostmarkWebhooksModule.forRoot({ auth, ...path }))
    const adapt = (app: INestApplication) =>
      app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
    const { post } = await start({ imports }, adapt, fastify)
    expect((await post(rejection, '/api/hooks/main')).status).toBe(200)
    expect((await post(rejection, '/api/hooks/inbound')).status).toBe(200)
    expect((await post(rejection, '/webhooks/postmark')).status).toBe(404)
  })

  it('runs handlers and observers in a clean scope with the correlation ID of the event', async () => {
    const scopes: unknown[] = []
    const on = { any: () => void scopes.push(currentPostmark()) }
    const module = PostmarkWebhooksModule.forRoot({ auth, on })
    const { post, events } = await start({ imports: [module] }, undefined, fastify)
    events().events$.subscribe(() => scopes.push(currentPostmark()))
    await post()
    const expected = { metadata: { 'correlation-id': 'c-17' } }
    expect(scopes).toEqual([expected, expected])
  })
})

describe('forRootAsync', () => {
  @Injectable()
  class Users {
    readonly refused: (string | undefined)[] = []
  }
  @Module({ providers: [Users], exports: [Users] })
  class UsersModule {}

  it('gives handlers what they inject', async () => {
    const module = PostmarkWebhooksModule.forRootAsync({
      path: 'hooks',
      imports: [UsersModule],
      inject: [Users],
      useFactory: async (users: Users) => ({
        auth,
        on: { rejected: ({ recipient }: RejectedEvent) => users.refused.push(recipient) },
      }),
    })
    const { app, post } = await start({ imports: [module] })
    expect((await post(rejection, '/hooks')).status).toBe(200)
    expect(app.get(Users, { strict: false }).refused).toEqual(['ann@example.com'])
  })

  it('takes a class', async () => {
    @Injectable()
    class WebhooksConfig implements PostmarkWebhooksOptionsFactory {
      createPostmarkWebhooksOptions(): PostmarkWebhooksOptions {
        return { auth: { header: { name: 'x-secret', value: SECRET } } }
      }
    }
    const { post } = await start({
      imports: [PostmarkWebhooksModule.forRootAsync({ useClass: WebhooksConfig })],
    })
    expect((await post(rejection, undefined, { 'x-secret': SECRET })).status).toBe(200)
    expect((await post()).status).toBe(401)
  })

  it.each<[string, Promise<unknown> | object, string]>([
    ['no secret', { auth: {} }, 'There is no secret'],
    ['an unknown option', { auth, onErrors: () => {} }, 'Did you mean "onError"?'],
    ['an unknown kind', { auth, on: { bounce: () => {} } }, 'Did you mean "bounced"?'],
  ])('and forRoot stop the application at start for %s', async (_title, options, message) => {
    const wrong = options as PostmarkWebhooksOptions
    for (const module of [
      PostmarkWebhooksModule.forRoot(wrong),
      PostmarkWebhooksModule.forRootAsync({ useFactory: () => wrong }),
    ])
      await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toThrow(message)
  })
})

describe('PostmarkEvents', () => {
  it('outlives observers that throw and reject, tells onError, and serves the others', async () => {
    const errors: unknown[] = []
    const seen: string[] = []
    const uncaught: unknown[] = []
    const catchAll = (error: unknown) => uncaught.push(error)
    process.on('uncaughtException', catchAll)
    const module = PostmarkWebhooksModule.forRoot({ auth, onError: (error) => errors.push(String(error)) })
    const { post, events } = await start({ imports: [module] })
    const { events$ } = events()
    events$.subscribe(() => {
      throw new Error('observer')
    })
    events$.subscribe(async () => {
      throw new Error('asynchronous observer')
    })
    events$.pipe(filter(({ kind }) => kind === 'rejected')).subscribe(() => {
      throw new Error('observer behind an operator')
    })
    events$
      .pipe(
        map(() => {
          throw new Error('operator')
        }),
      )
      .subscribe(() => {})
    events$.pipe(mergeMap(() => Promise.reject(new Error('asynchronous operator')))).subscribe()
    events$.subscribe(({ kind }) => seen.push(kind))
    const first = firstValueFrom(events$.pipe(map(({ recipient }) => recipient)))
    expect((await post(rejection, undefined, { 'x-pm-webhook-trace-id': 'a' })).status).toBe(200)
    expect((await post(rejection, undefined, { 'x-pm-webhook-trace-id': 'b' })).status).toBe(200)
    expect(await first).toBe('ann@example.com')
    expect(seen).toEqual(['rejected', 'rejected'])
    // RxJS would throw out of a timer.
    await new Promise((resolve) => setTimeout(resolve))
    process.off('uncaughtException', catchAll)
    expect(uncaught).toEqual([])
    expect(errors.sort()).toEqual([
      'Error: asynchronous observer',
      'Error: asynchronous observer',
      'Error: asynchronous operator',
      'Error: observer',
      'Error: observer',
      'Error: observer behind an operator',
      'Error: observer behind an operator',
      'Error: operator',
    ])
  })

  it('stops for an observer that unsubscribes, also behind an operator', async () => {
    const seen: string[] = []
    const { post, events } = await start({
      imports: [PostmarkWebhooksModule.forRoot({ auth, dedupe: false })],
    })
    const subscription = events()
      .events$.pipe(map(({ kind }) => kind))
      .subscribe((kind) => seen.push(kind))
    await post()
    subscription.unsubscribe()
    await post()
    expect(seen).toEqual(['rejected'])
  })

  it('is injected in other modules where the module is global', async () => {
    @Injectable()
    class Bounces {
      readonly kinds: string[] = []
      constructor(@Inject(PostmarkEvents) events: PostmarkEvents) {
        events.events$.subscribe(({ kind }) => this.kinds.push(kind))
      }
    }
    @Module({ providers: [Bounces] })
    class BouncesModule {}
    const module = PostmarkWebhooksModule.forRoot({ auth, isGlobal: true })
    const { app, post } = await start({ imports: [module, BouncesModule] })
    await post()
    expect(app.get(Bounces, { strict: false }).kinds).toEqual(['rejected'])
  })

  it('logs what a handler throws where there is no onError', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    const on = { any: () => Promise.reject(new Error('told')) }
    const { post } = await start({ imports: [PostmarkWebhooksModule.forRoot({ auth, on })] })
    expect((await post()).status).toBe(500)
    expect(logged.mock.calls).toEqual([[new Error('told')]])
    logged.mockRestore()
  })

  it('logs a secret that was refused once, without the secret', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    const { post } = await start({ imports: [PostmarkWebhooksModule.forRoot({ auth })] })
    for (let n = 0; n < 3; n++)
      expect((await post(rejection, undefined, { authorization: 'Basic eDp5' })).status).toBe(401)
    expect(logged.mock.calls).toEqual([
      [
        expect.objectContaining({
          message: expect.stringContaining('its Basic login is not in auth.basic'),
        }),
      ],
    ])
    logged.mockRestore()
  })
})

describe('PostmarkEventEmitter', () => {
  it('hands events to @nestjs/event-emitter, by their kind, until the application closes', async () => {
    @Injectable()
    class Alerts {
      readonly told: (string | undefined)[] = []
      @OnEvent('postmark.rejected')
      tell(event: RejectedEvent) {
        this.told.push(event.cause)
      }
      @OnEvent('postmark.bounced')
      never() {
        this.told.push('bounced')
      }
      @OnEvent('postmark.rejected')
      fail() {
        throw new Error('no')
      }
    }
    const module = PostmarkWebhooksModule.forRoot({ auth })
    const { app, post, events } = await start({
      imports: [EventEmitterModule.forRoot(), module],
      providers: [Alerts, PostmarkEventEmitter],
    })
    const { told } = app.get(Alerts)
    expect((await post()).status).toBe(200)
    expect(told).toEqual([expect.stringContaining('suppressed')])
    const { events$ } = events()
    const again = firstValueFrom(events$)
    await post(rejection, undefined, { 'x-pm-webhook-trace-id': 'again' })
    await open.splice(0)[0]?.close()
    app.get(PostmarkEvents, { strict: false }).emit(await again)
    expect(told).toHaveLength(2)
  })
})
