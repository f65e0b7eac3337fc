import {
  type ArgumentsHost,
  Catch,
  Controller,
  Get,
  Global,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  NotFoundException,
} from '@nestjs/common'
import { APP_FILTER, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { ClsModule, ClsService } from 'nestjs-cls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PostmarkMailer, type PostmarkRequest, PostmarkSmtpModule } from './index.js'

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

const received = () => sandbox.outbox.map(({ postmark }) => postmark)

@Controller()
class MailController {
  constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}
  @Get('mail')
  async mail() {
    await this.mailer.send(message)
    return 'sent'
  }
}

describe.each<[string, () => FastifyAdapter | undefined]>([
  ['Express', () => undefined],
  ['Fastify', () => new FastifyAdapter()],
])('on %s', (_platform, createAdapter) => {
  const serve = async (metadata: ModuleMetadata, prefix = '') => {
    const module = await Test.createTestingModule({ ...metadata, controllers: [MailController] }).compile()
    const adapter = createAdapter()
    const app = adapter ? module.createNestApplication(adapter) : module.createNestApplication()
    open.push(app)
    app.useLogger(false)
    app.setGlobalPrefix(prefix)
    await app.listen(0, '127.0.0.1')
    return app.getUrl()
  }

  it('contexts of several modules merge', async () => {
    const { url } = sandbox
    const base = await serve({
      imports: [
        PostmarkSmtpModule.forRoot({ url, context: () => ({ tag: 'main', metadata: { main: 1 } }) }),
        PostmarkSmtpModule.forRoot({ name: 'b', url, context: () => ({ metadata: { named: 1 } }) }),
      ],
    })
    await fetch(`${base}/mail`)
    expect(received()).toEqual([{ tag: 'main', metadata: { main: '1', named: '1' } }])
  })

  it('a context from a factory may use what was injected', async () => {
    @Injectable()
    class Tenants {
      of({ headers }: PostmarkRequest) {
        return String(headers['x-tenant'])
      }
    }
    @Global()
    @Module({ providers: [Tenants], exports: [Tenants] })
    class TenantModule {}
    const mail = PostmarkSmtpModule.forRootAsync({
      inject: [Tenants],
      useFactory: (tenants: Tenants) => ({
        url: sandbox.url,
        context: (request) => ({ metadata: { tenant: tenants.of(request) } }),
      }),
    })
    const base = await serve({ imports: [TenantModule, mail] })
    await fetch(`${base}/mail`, { headers: { 'x-tenant': 'acme' } })
    expect(received()).toEqual([{ metadata: { tenant: 'acme' } }])
  })

  it('runs beside nestjs-cls: each keeps its own store, and the context can read the other', async () => {
    const mail = PostmarkSmtpModule.forRootAsync({
      imports: [ClsModule],
      inject: [ClsService],
      useFactory: (cls: ClsService) => ({
        url: sandbox.url,
        context: () => ({ metadata: { 'request-id': cls.getId() } }),
      }),
    })
    const base = await serve({
      imports: [
        ClsModule.forRoot({
          global: true,
          middleware: {
            mount: true,
            generateId: true,
            idGenerator: (request: PostmarkRequest) => String(request.headers['x-id']),
          },
        }),
        mail,
      ],
    })
    const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`)
    await Promise.all(ids.map((id) => fetch(`${base}/mail`, { headers: { 'x-id': id } })))
    expect(
      received()
        .map(({ metadata }) => metadata?.['request-id'])
        .toSorted(),
    ).toEqual(ids.toSorted())
  })

  it('the scope is open under a global prefix, and in a filter for an unknown route', async () => {
    @Catch(NotFoundException)
    class ReportUnknown extends BaseExceptionFilter {
      constructor(
        @Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost,
        @Inject(PostmarkMailer) readonly mailer: PostmarkMailer,
      ) {
        super(httpAdapter)
      }
      override async catch(error: NotFoundException, host: ArgumentsHost) {
        await this.mailer.send(message)
        super.catch(error, host)
      }
    }
    const context = ({ headers }: PostmarkRequest) => ({ metadata: { id: String(headers['x-id']) } })
    const base = await serve(
      {
        imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url, context })],
        providers: [{ provide: APP_FILTER, useClass: ReportUnknown }],
      },
      'api',
    )
    await fetch(`${base}/api/mail`, { headers: { 'x-id': 'found' } })
    expect((await fetch(`${base}/api/nowhere`, { headers: { 'x-id': 'lost' } })).status).toBe(404)
    expect(received()).toEqual([{ metadata: { id: 'found' } }, { metadata: { id: 'lost' } }])
  })
})
