import { inspect } from 'node:util'
import { Injectable, type LoggerService, Module, type ModuleMetadata, Scope } from '@nestjs/common'
import { NestFactory, REQUEST } from '@nestjs/core'
import { afterEach, describe, expect, it } from 'vitest'
import { isPostmarkError, PostmarkSmtpModule, PostmarkWebhooksModule } from './index.js'

const TOKEN = '5a4db0c5-1111-2222-3333-444455556666'
const mail = { serverToken: TOKEN }
const hooks = { auth: { basic: { username: 'postmark', password: 'nest-1f3e5d7c9b' } } }

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
})

/** Starts an application; gives what it fails with, and what Nest printed. */
async function start(importing: () => unknown, script = false): Promise<{ error: unknown; printed: string }> {
  const printed: string[] = []
  const print = (...args: unknown[]) =>
    printed.push(...args.map((arg) => (typeof arg === 'string' ? arg : inspect(arg))))
  const logger: LoggerService = { log: () => {}, warn: print, error: print, fatal: print }
  try {
    @Module({ imports: [importing()] as NonNullable<ModuleMetadata['imports']> })
    class App {}
    if (script) open.push(await NestFactory.createApplicationContext(App, { logger, abortOnError: false }))
    else {
      const app = await NestFactory.create(App, { logger, abortOnError: false })
      open.push(app)
      await app.listen(0, '127.0.0.1')
    }
    return { error: undefined, printed: printed.join('\n') }
  } catch (error) {
    return { error, printed: printed.join('\n') }
  }
}

/** Mistakes that TypeScript does not let pass, as JavaScript and loose types do. */
const smtp = PostmarkSmtpModule as unknown as Loose
const webhooks = PostmarkWebhooksModule as unknown as Loose
interface Loose {
  forRoot(options?: unknown): unknown
  forRootAsync(options?: unknown): unknown
}

@Injectable({ scope: Scope.REQUEST })
class RequestOptions {
  createPostmarkOptions() {
    return mail
  }
  createPostmarkWebhooksOptions() {
    return hooks
  }
}
@Injectable({ scope: Scope.REQUEST })
class Tenant {}
@Injectable()
class Tenants {}
Reflect.defineMetadata('design:paramtypes', [Tenant], Tenants)
@Module({ providers: [Tenant, Tenants], exports: [Tenant, Tenants] })
class TenantModule {}

describe('a module that is imported in a wrong way', () => {
  const unset = 'If they come from an environment variable or a configuration, check that it is set.'
  it.each<[string, () => unknown, string]>([
    [
      'forRoot()',
      () => smtp.forRoot(),
      `PostmarkSmtpModule.forRoot: the options are undefined. Pass an object such as { url }. ${unset}`,
    ],
    ['forRoot(null)', () => smtp.forRoot(null), `PostmarkSmtpModule.forRoot: the options are null.`],
    [
      'forRoot(url)',
      () => smtp.forRoot(`postmark+smtp://${TOKEN}@default`),
      'the options are a string. Pass an object such as { url }.',
    ],
    [
      'forRoot({ useFactory })',
      () => smtp.forRoot({ useFactory: () => mail }),
      'PostmarkSmtpModule.forRoot: useFactory belongs in forRootAsync.',
    ],
    [
      'forRootAsync()',
      () => smtp.forRootAsync(),
      'PostmarkSmtpModule.forRootAsync: useFactory, useClass or useExisting is required.',
    ],
    ['forRootAsync({})', () => smtp.forRootAsync({}), 'useFactory, useClass or useExisting is required.'],
    ['forRootAsync(options)', () => smtp.forRootAsync(mail), 'Plain options belong in forRoot.'],
    [
      'a factory that gives nothing',
      () => smtp.forRootAsync({ name: 'news', useFactory: () => undefined }),
      `PostmarkSmtpModule "news": the options are undefined. Pass an object such as { url }. ${unset}`,
    ],
    [
      'a factory that gives a URL',
      () => smtp.forRootAsync({ useFactory: () => `postmark+smtp://${TOKEN}@default` }),
      'PostmarkSmtpModule: the options are a string. Pass an object such as { url }.',
    ],
    [
      'no method at all',
      () => PostmarkSmtpModule,
      'PostmarkSmtpModule was imported without options. Import PostmarkSmtpModule.forRoot(',
    ],
    [
      'forRoot() for webhooks',
      () => webhooks.forRoot(),
      'PostmarkWebhooksModule.forRoot: the options are undefined. Pass an object such as { auth',
    ],
    [
      'forRootAsync({}) for webhooks',
      () => webhooks.forRootAsync({}),
      'PostmarkWebhooksModule.forRootAsync: useFactory, useClass or useExisting is required.',
    ],
    [
      'a factory for webhooks that gives nothing',
      () => webhooks.forRootAsync({ useFactory: () => undefined }),
      'PostmarkWebhooksModule: the options are undefined.',
    ],
    [
      'options for webhooks without a secret',
      () => webhooks.forRoot({ on: {} }),
      'PostmarkWebhooksModule: There is no secret in `auth`',
    ],
    [
      'no method at all for webhooks',
      () => PostmarkWebhooksModule,
      'PostmarkWebhooksModule was imported without options.',
    ],
  ])('is named with the cure: %s', async (_what, importing, told) => {
    const { error } = await start(importing)
    expect(error).toMatchObject({ name: 'PostmarkError', code: 'ERR_POSTMARK_OPTIONS' })
    expect((error as Error).message).toContain(told)
    expect((error as Error).message).not.toContain(TOKEN)
  })

  it('says where `defaults: { from }` belongs', async () => {
    const { error } = await start(() => smtp.forRoot({ ...mail, defaults: { from: 'shop@example.com' } }))
    expect(error).toMatchObject({ code: 'ERR_POSTMARK_FIELDS', problems: [{ path: 'defaults.from' }] })
    expect((error as Error).message).toContain('belong in the option `message: { from }`')
  })
})

describe('options that depend on the request', () => {
  const async: Record<string, object> = {
    'the request itself': { inject: [REQUEST], useFactory: () => mail },
    'a request-scoped service': { imports: [TenantModule], inject: [Tenant], useFactory: () => mail },
    'a service that depends on a request-scoped one': {
      imports: [TenantModule],
      inject: [Tenants],
      useFactory: () => mail,
    },
    'a request-scoped class': { useClass: RequestOptions },
  }
  it.each(
    Object.entries(async).flatMap(([what, options]) => [
      [what, 'with an HTTP server', options, false] as const,
      [what, 'without one', options, true] as const,
    ]),
  )('stop the application at start: %s, %s', async (_what, _where, options, script) => {
    const { error } = await start(() => smtp.forRootAsync(options), script)
    expect(isPostmarkError(error)).toBe(true)
    expect((error as Error).message).toBe(
      'PostmarkSmtpModule: the options depend on the request (REQUEST, or a request-scoped provider), but are read once. ' +
        'For fields that depend on the request, use the option context: (request) => fields. ' +
        'For several servers, import one named module for each, or give streams their own credentials.',
    )
  })

  it.each([
    ['the request itself', { inject: [REQUEST], useFactory: () => hooks }],
    ['a request-scoped class', { useClass: RequestOptions }],
  ])(
    'stop it for webhooks too, whose memory of events would be one per request: %s',
    async (_what, options) => {
      const { error } = await start(() => webhooks.forRootAsync(options))
      expect(error).toMatchObject({ code: 'ERR_POSTMARK_OPTIONS' })
      expect((error as Error).message).toContain('PostmarkWebhooksModule: the options depend on the request')
    },
  )
})

it.each<[string, () => unknown, string]>([
  ['an unknown option', () => smtp.forRoot({ ...mail, pols: 1 }), 'Known options:'],
  ['a misspelt option', () => smtp.forRoot({ serverTokn: TOKEN }), 'Did you mean "serverToken"?'],
  [
    'a default that is none',
    () => smtp.forRoot({ ...mail, defaults: { from: 'shop@example.com' } }),
    'Message defaults belong in',
  ],
  ['no options', () => smtp.forRootAsync({ useFactory: () => undefined }), 'the options are undefined'],
  [
    'a request-scoped factory',
    () => smtp.forRootAsync({ inject: [REQUEST], useFactory: () => mail }),
    'are read once',
  ],
  ['webhooks without a secret', () => webhooks.forRoot({ on: {} }), 'There is no secret in `auth`'],
])('a start error is printed once: %s', async (_what, importing, text) => {
  const { error, printed } = await start(importing)
  // Nest prints what fails in NestFactory.create; what fails in listen is for the caller to print.
  if (printed) expect(printed.split(text)).toHaveLength(2)
  expect(inspect(error).split(text)).toHaveLength(2)
})
