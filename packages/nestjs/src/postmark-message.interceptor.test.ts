import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Inject,
  Module,
  type Provider,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  ServerTCP,
  Transport,
} from '@nestjs/microservices'
import { WsAdapter } from '@nestjs/platform-ws'
import { Test } from '@nestjs/testing'
import { MessageBody, type OnGatewayConnection, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { currentPostmark } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { createBarrier } from '@postmark-smtp/testing'
import { defer, lastValueFrom, map } from 'rxjs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { PostmarkMailer, PostmarkMessageInterceptor, PostmarkSmtpModule, WithPostmark } from './index.js'

interface Order {
  readonly tenant: string
}
const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Order', text: 'Thank you' }

let sandbox: Sandbox
let both = createBarrier(1)
/** What a guard and handleConnection saw of the scope. */
let outside: unknown[] = []
beforeAll(async () => {
  sandbox = await startSandbox()
})
beforeEach(() => {
  sandbox.clear()
  both = createBarrier(1)
})
afterEach(() => {
  outside = []
})
afterAll(() => sandbox.close())
const received = () => sandbox.outbox.map(({ postmark }) => postmark)

class ScopeGuard implements CanActivate {
  canActivate() {
    outside.push(currentPostmark())
    return true
  }
}

@Controller()
class Orders {
  constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}

  @Get('order')
  http() {
    return this.mailer.send(message).then(() => 'sent')
  }

  @UseGuards(ScopeGuard)
  @MessagePattern('order')
  async order(@Payload() _order: Order) {
    await both.arrive()
    await this.mailer.send(message)
    return 'sent'
  }

  @WithPostmark({ tag: 'lazy' })
  @MessagePattern('lazy')
  lazy() {
    return defer(() => this.mailer.send(message)).pipe(map(() => 'sent'))
  }

  @EventPattern('ordered')
  @WithPostmark({ tag: 'event' })
  async ordered(@Payload() _order: Order) {
    await this.mailer.send(message)
  }
}

@WebSocketGateway()
class OrderGateway implements OnGatewayConnection {
  constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}

  handleConnection() {
    outside.push(currentPostmark())
  }

  @SubscribeMessage('global')
  async global(@MessageBody() _order: Order) {
    await this.mailer.send(message)
  }

  @UseInterceptors(PostmarkMessageInterceptor)
  @SubscribeMessage('named')
  async named(@MessageBody() _order: Order) {
    await both.arrive()
    await this.mailer.send(message)
  }

  @WithPostmark({ tag: 'tagged' })
  @UseInterceptors(PostmarkMessageInterceptor)
  @SubscribeMessage('tagged')
  async tagged(@MessageBody() _order: Order) {
    await this.mailer.send(message)
  }
}

const toModule = (providers: Provider[] = []) => {
  @Module({
    imports: [
      PostmarkSmtpModule.forRoot({
        url: sandbox.url,
        context: () => ({ metadata: { by: 'http' } }),
        messageContext: (context: ExecutionContext) => {
          const rpc = context.getType() === 'rpc'
          const { tenant } = rpc ? context.switchToRpc().getData() : context.switchToWs().getData()
          if (tenant === undefined) throw new Error('no order')
          return { metadata: { by: context.getType(), tenant } }
        },
      }),
    ],
    controllers: [Orders],
    providers,
  })
  class App {}
  return App
}

/** A client of the microservice that this strategy serves. */
const connect = (strategy: ServerTCP) => {
  const { port } = strategy.unwrap<Server>().address() as AddressInfo
  return ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } })
}

describe('a microservice', () => {
  const strategy = new ServerTCP({ host: '127.0.0.1', port: 0 })
  let client: ReturnType<typeof connect>
  let app: { close(): Promise<unknown> }
  const send = (pattern: string, tenant: string) => lastValueFrom(client.send<string>(pattern, { tenant }))

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [toModule()] }).compile()
    const service = module.createNestMicroservice<MicroserviceOptions>({ strategy, logger: false })
    await service.listen()
    app = service
    client = connect(strategy)
  })
  afterAll(async () => {
    client.close()
    await app.close()
  })

  it('sends with the fields of the message, also where two interleave', async () => {
    both = createBarrier(2)
    expect(await Promise.all([send('order', 'a'), send('order', 'b')])).toEqual(['sent', 'sent'])
    expect(received().toSorted((a, b) => (a.metadata!.tenant! < b.metadata!.tenant! ? -1 : 1))).toEqual([
      { metadata: { by: 'rpc', tenant: 'a' } },
      { metadata: { by: 'rpc', tenant: 'b' } },
    ])
  })

  it('keeps the scope for an Observable, which Nest subscribes to later', async () => {
    expect(await send('lazy', 'a')).toBe('sent')
    expect(received()).toEqual([{ tag: 'lazy', metadata: { by: 'rpc', tenant: 'a' } }])
  })

  it('has a scope for events too', async () => {
    await lastValueFrom(client.emit('ordered', { tenant: 'a' }), { defaultValue: undefined })
    await sandbox.waitFor({ postmark: { tag: 'event' } })
    expect(received()).toEqual([{ tag: 'event', metadata: { by: 'rpc', tenant: 'a' } }])
  })

  it('has none in a guard, and sends all the same where the context throws', async () => {
    expect(await lastValueFrom(client.send('order', 'no order'))).toBe('sent')
    expect(outside).toEqual([undefined])
    expect(received()).toEqual([{}])
  })
})

describe('a hybrid application', () => {
  it.each([
    [true, { metadata: { by: 'rpc', tenant: 'a' } }],
    [undefined, {}],
  ])('has a scope for messages if inheritAppConfig is true (%s)', async (inheritAppConfig, expected) => {
    const strategy = new ServerTCP({ host: '127.0.0.1', port: 0 })
    const module = await Test.createTestingModule({ imports: [toModule()] }).compile()
    const app = module.createNestApplication({ logger: false })
    app.connectMicroservice<MicroserviceOptions>(
      { strategy },
      inheritAppConfig === undefined ? {} : { inheritAppConfig },
    )
    await app.startAllMicroservices()
    await app.listen(0, '127.0.0.1')
    const client = connect(strategy)
    await lastValueFrom(client.send('order', { tenant: 'a' }))
    await fetch(`${await app.getUrl()}/order`)
    client.close()
    await app.close()
    expect(received()).toEqual([expected, { metadata: { by: 'http' } }])
  })
})

describe('a gateway', () => {
  let app: INestApplication
  let socket: WebSocket
  const send = (event: string, tenant: string) => socket.send(JSON.stringify({ event, data: { tenant } }))

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [toModule([OrderGateway])] }).compile()
    app = module.createNestApplication({ logger: false })
    app.useWebSocketAdapter(new WsAdapter(app))
    await app.listen(0, '127.0.0.1')
    socket = new WebSocket((await app.getUrl()).replace('http', 'ws'))
    await once(socket, 'open')
  })
  afterAll(async () => {
    socket.terminate()
    await app.close()
  })

  it('has no scope in handleConnection', () => {
    expect(outside).toEqual([undefined])
  })

  it('sends with the fields of the message, also where two of one connection interleave', async () => {
    both = createBarrier(2)
    send('named', 'a')
    send('named', 'b')
    for (const tenant of ['a', 'b'])
      await sandbox.waitFor(({ postmark }) => postmark.metadata?.tenant === tenant)
    send('tagged', 'c')
    await sandbox.waitFor({ postmark: { tag: 'tagged', metadata: { by: 'ws', tenant: 'c' } } })
    expect(received()).toHaveLength(3)
  })

  // Here, and only here, the two majors differ: Nest 11 gives gateways no global interceptors.
  const nest11 = process.env.NEST === '11'
  it(`${nest11 ? 'needs' : 'does without'} an interceptor of its own`, async () => {
    send('global', 'a')
    await sandbox.waitFor({ to: 'ann@example.com' })
    expect(received()).toEqual([nest11 ? {} : { metadata: { by: 'ws', tenant: 'a' } }])
  })
})
