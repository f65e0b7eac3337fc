import { once } from 'node:events'
import { get as httpGet } from 'node:http'
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Test, type TestingModuleBuilder } from '@nestjs/testing'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  getPostmarkToken,
  InjectPostmark,
  isPostmarkError,
  PostmarkMailer,
  type PostmarkModuleOptions,
  type PostmarkOptionsFactory,
  PostmarkSmtpModule,
  type PostmarkTransporter,
} from './index.js'

const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Hello' }

let sandbox: Sandbox
const open: { close(): Promise<void> }[] = []
beforeAll(async () => {
  sandbox = await startSandbox()
})
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
  sandbox.clear()
})
afterAll(() => sandbox.close())

/** Builds an application, which is closed behind the test. */
async function build(metadata: ModuleMetadata, adapt = (builder: TestingModuleBuilder) => builder) {
  const module = await adapt(Test.createTestingModule(metadata)).compile()
  open.push(module)
  return module
}
function createSignal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}
const received = () => sandbox.outbox.map(({ postmark }) => postmark)

describe('forRootAsync', () => {
  @Injectable()
  class Config {
    readonly url = sandbox.url
  }
  @Module({ providers: [Config], exports: [Config] })
  class ConfigModule {}
  @Injectable()
  class MailConfig implements PostmarkOptionsFactory {
    constructor(@Inject(Config) private readonly config: Config) {}
    createPostmarkOptions(): PostmarkModuleOptions {
      return { url: `${this.config.url}&stream=by-class` }
    }
  }
  @Module({ imports: [ConfigModule], providers: [MailConfig], exports: [MailConfig] })
  class MailConfigModule {}

  it.each<[string, Parameters<typeof PostmarkSmtpModule.forRootAsync>[0], string]>([
    [
      'useFactory, with imports and inject',
      {
        imports: [ConfigModule],
        inject: [Config],
        useFactory: async ({ url }: Config) => ({ url: `${url}&stream=by-factory` }),
      },
      'by-factory',
    ],
    [
      'useClass, whose own dependencies are imported',
      { imports: [ConfigModule], useClass: MailConfig },
      'by-class',
    ],
    ['useExisting', { imports: [MailConfigModule], useExisting: MailConfig }, 'by-class'],
  ])('takes options from %s', async (_title, options, messageStream) => {
    const app = await build({ imports: [PostmarkSmtpModule.forRootAsync(options)] })
    await app.get(PostmarkMailer, { strict: false }).send(message)
    expect(received()).toEqual([{ messageStream }])
  })

  it('takes default fields of messages', async () => {
    const options = { url: sandbox.url, message: { from: 'shop@example.com', postmark: { tag: 'shop' } } }
    const app = await build({ imports: [PostmarkSmtpModule.forRootAsync({ useFactory: () => options })] })
    const { from: _from, ...mail } = message
    await app.get(PostmarkMailer, { strict: false }).send(mail)
    expect(received()).toEqual([{ tag: 'shop' }])
    expect(sandbox.outbox[0]!.from).toContain('shop@example.com')
  })

  it('takes a name and isGlobal beside the factory', async () => {
    @Injectable()
    class Newsletter {
      constructor(@InjectPostmark('news') readonly transporter: PostmarkTransporter) {}
    }
    @Module({ providers: [Newsletter] })
    class NewsletterModule {}
    const mail = PostmarkSmtpModule.forRootAsync({
      name: 'news',
      isGlobal: true,
      useFactory: () => ({ url: `${sandbox.url}&stream=news` }),
    })
    const app = await build({ imports: [mail, NewsletterModule] })
    await app.get(Newsletter, { strict: false }).transporter.sendMail(message)
    expect(received()).toEqual([{ messageStream: 'news' }])
  })
})

describe('several modules', () => {
  it('are told apart by name, each with its own options', async () => {
    @Injectable()
    class Mails {
      @InjectPostmark() readonly main!: PostmarkTransporter
      constructor(
        @Inject(PostmarkMailer) readonly mailer: PostmarkMailer,
        @InjectPostmark('news') readonly news: PostmarkTransporter,
        @InjectPostmark('receipts') readonly receipts: PostmarkTransporter,
      ) {}
    }
    const app = await build({
      imports: [
        PostmarkSmtpModule.forRoot({ name: 'news', url: `${sandbox.url}&stream=news` }),
        PostmarkSmtpModule.forRoot({ url: sandbox.url }),
        PostmarkSmtpModule.forRoot({ name: 'receipts', url: `${sandbox.url}&stream=receipts` }),
      ],
      providers: [Mails],
    })
    const { mailer, main, news, receipts } = app.get(Mails)
    await mailer.send(message)
    await main.sendMail(message)
    await news.sendMail(message)
    await receipts.sendMail(message)
    expect(received().map(({ messageStream }) => messageStream)).toEqual([
      undefined,
      undefined,
      'news',
      'receipts',
    ])
  })

  it('stay inside the modules that import them, unless they are global', async () => {
    @Injectable()
    class Welcome {
      constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}
    }
    @Module({ providers: [Welcome] })
    class WelcomeModule {}
    const { url } = sandbox
    await expect(build({ imports: [PostmarkSmtpModule.forRoot({ url }), WelcomeModule] })).rejects.toThrow(
      'PostmarkMailer',
    )
    const app = await build({ imports: [PostmarkSmtpModule.forRoot({ url, isGlobal: true }), WelcomeModule] })
    await app.get(Welcome, { strict: false }).mailer.verify()
  })
})

describe('a wrong configuration', () => {
  it.each<[string, object, string]>([
    [
      'an unknown option',
      { serverTokn: 'x' },
      'PostmarkSmtpModule: Unknown option "serverTokn". Did you mean "serverToken"?',
    ],
    [
      'the name of the module',
      { name: 'news', url: 'smtp://localhost' },
      'PostmarkSmtpModule "news": The connection URL starts with smtp://',
    ],
    [
      'a context that is no function',
      { url: 'postmark+smtp://token@default', context: { tag: 'a' } },
      'Option context must be a function that returns fields.',
    ],
    [
      'an option that the URL gives already',
      { url: 'postmark+smtp://token@default?stream=outbound', messageStream: 'news' },
      'Option messageStream is given together with url, which already sets it.',
    ],
    [
      'defaults that break a limit',
      { serverToken: '5a4db0c5', defaults: { tag: 'x'.repeat(1001) } },
      'defaults.tag',
    ],
  ])('stops the application at start, and tells of %s', async (_title, options, told) => {
    const starting = build({ imports: [PostmarkSmtpModule.forRoot(options as PostmarkModuleOptions)] })
    const error = await starting.catch((reason: unknown) => reason)
    expect(isPostmarkError(error)).toBe(true)
    expect((error as Error).message).toContain(told)
  })

  it('stops it from a factory too, and keeps the token out of the message', async () => {
    const useFactory = () => ({ url: 'postmark+smtp://5ecret@smtp.example.com?plaintext=1' })
    const starting = build({ imports: [PostmarkSmtpModule.forRootAsync({ name: 'news', useFactory })] })
    await expect(starting).rejects.toThrow(/^PostmarkSmtpModule "news": (?!.*5ecret)/)
  })
})

describe('in tests of an application', () => {
  it('a transporter takes the place of the real one, also one without close', async () => {
    const sent: object[] = []
    const stub = { sendMail: async (mail: object) => sent.push(mail) }
    const app = await build({ imports: [PostmarkSmtpModule.forRoot({ serverToken: 'real' })] }, (builder) =>
      builder.overrideProvider(getPostmarkToken()).useValue(stub),
    )
    await app.get(PostmarkMailer, { strict: false }).send(message)
    expect(sent).toEqual([message])
    await app.close()
  })
})

describe('at shutdown', () => {
  it('every hook of the application, and a request under way, can still send', async () => {
    const arrival = createSignal()
    const shutdown = createSignal()
    @Controller()
    class Orders implements OnModuleDestroy, OnApplicationShutdown {
      constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}
      @Get()
      async order() {
        arrival.give()
        await shutdown.given
        await this.mailer.send({ ...message, subject: 'request' })
        return 'sent'
      }
      async onModuleDestroy() {
        await this.mailer.send({ ...message, subject: 'onModuleDestroy' })
        shutdown.give()
      }
      async onApplicationShutdown() {
        await this.mailer.send({ ...message, subject: 'onApplicationShutdown' })
      }
    }
    const module = await Test.createTestingModule({
      imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url, isGlobal: true })],
      controllers: [Orders],
    }).compile()
    const app = module.createNestApplication({ logger: false })
    await app.listen(0, '127.0.0.1')
    // A connection of its own: fetch keeps one alive, for which the server would wait.
    const answer = once(httpGet(await app.getUrl(), { agent: false }), 'response')
    await arrival.given
    await app.close()
    const [response] = await answer
    expect(response.resume().statusCode).toBe(200)
    expect(sandbox.outbox.map(({ subject }) => subject).toSorted()).toEqual([
      'onApplicationShutdown',
      'onModuleDestroy',
      'request',
    ])
  })

  it('the transporter is closed, and refuses mail', async () => {
    const app = await build({ imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url })] })
    const mailer = app.get(PostmarkMailer, { strict: false })
    await mailer.send(message)
    await app.close()
    await expect(mailer.send(message)).rejects.toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
  })

  it('does not hinder an application that has no HTTP server', async () => {
    @Module({ imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url, context: () => ({ tag: 'http' }) })] })
    class Script {}
    const app = await NestFactory.createApplicationContext(Script, { logger: false })
    await app.get(PostmarkMailer, { strict: false }).send(message)
    await app.close()
    expect(received()).toEqual([{}])
  })
})
