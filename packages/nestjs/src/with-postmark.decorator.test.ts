import { Controller, Get, Inject, Injectable, Module, SetMetadata } from '@nestjs/common'
import { NestFactory, Reflector } from '@nestjs/core'
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule'
import { Test } from '@nestjs/testing'
import { currentPostmark, updatePostmark } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { defer, lastValueFrom } from 'rxjs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PostmarkMailer, PostmarkSmtpModule, WithPostmark } from './index.js'

const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Hello' }

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.clear())
afterAll(() => sandbox.close())
const received = () => sandbox.outbox.map(({ postmark }) => postmark)

describe('@WithPostmark', () => {
  it('opens a scope around a method of a plain provider', async () => {
    @Injectable()
    class Welcome {
      readonly from = 'shop@example.com'
      constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}
      @WithPostmark({ tag: 'welcome', metadata: { kind: 'first' } })
      async send(to: string) {
        await new Promise(setImmediate)
        return this.mailer.send({ ...message, from: this.from, to })
      }
    }
    const app = await Test.createTestingModule({
      imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url })],
      providers: [Welcome],
    }).compile()
    const info = await app.get(Welcome).send('bob@example.com')
    expect(info.accepted).toEqual(['bob@example.com'])
    expect(received()).toEqual([{ tag: 'welcome', metadata: { kind: 'first' } }])
    await app.close()
  })

  it('works on jobs of @nestjs/schedule, above and below their decorators', async () => {
    @Injectable()
    class Jobs {
      constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}
      @WithPostmark({ tag: 'cron' })
      @Cron('0 0 1 1 *', { name: 'yearly' })
      async yearly() {
        await this.mailer.send(message)
      }
      @Interval(50)
      @WithPostmark({ tag: 'interval' })
      async often() {
        await this.mailer.send(message)
      }
      @WithPostmark({ tag: 'timeout' })
      @Timeout(1)
      async soon() {
        await this.mailer.send(message)
      }
    }
    @Module({
      imports: [ScheduleModule.forRoot(), PostmarkSmtpModule.forRoot({ url: sandbox.url })],
      providers: [Jobs],
    })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false })
    app.get(SchedulerRegistry).getCronJob('yearly').fireOnTick()
    for (const tag of ['cron', 'interval', 'timeout']) await sandbox.waitFor({ postmark: { tag } })
    await app.close()
  })

  it('carries metadata, name and length over, whichever decorator comes first', async () => {
    const Role = (role: string) => SetMetadata('role', role)
    class Roles {
      @WithPostmark({ tag: 'a' })
      @Role('above')
      above(_one: string) {}
      @Role('below')
      @WithPostmark({ tag: 'a' })
      below(_one: string, _two: string) {}
    }
    const { above, below } = Roles.prototype
    const reflector = new Reflector()
    expect([reflector.get('role', above), above.name, above.length]).toEqual(['above', 'above', 1])
    expect([reflector.get('role', below), below.name, below.length]).toEqual(['below', 'below', 2])
  })

  it('keeps what a method added for the Observable that it returned', async () => {
    class Lazy {
      @WithPostmark({ tag: 'lazy' })
      read() {
        updatePostmark({ metadata: { order: '7' } })
        return defer(async () => currentPostmark())
      }
    }
    expect(await lastValueFrom(new Lazy().read())).toEqual({ tag: 'lazy', metadata: { order: '7' } })
  })

  it('returns what the method returns, and throws what it throws', () => {
    class Plain {
      @WithPostmark({ tag: 'a' })
      seven() {
        return 7
      }
      @WithPostmark({ tag: 'a' })
      fail() {
        throw new Error('failed')
      }
    }
    expect(new Plain().seven()).toBe(7)
    expect(() => new Plain().fail()).toThrow('failed')
    expect(currentPostmark()).toBeUndefined()
  })

  it('refuses fields that break a limit when the class is defined', () => {
    expect(() => WithPostmark({ tag: 'x'.repeat(1001) })).toThrow(
      expect.objectContaining({ code: 'ERR_POSTMARK_FIELDS' }),
    )
  })

  it('nests in the scope of the request', async () => {
    @Controller()
    class Signup {
      constructor(@Inject(PostmarkMailer) readonly mailer: PostmarkMailer) {}
      @Get()
      @WithPostmark({ tag: 'signup' })
      async signup() {
        await this.mailer.send(message)
      }
    }
    const module = await Test.createTestingModule({
      imports: [
        PostmarkSmtpModule.forRoot({
          url: sandbox.url,
          context: ({ url }) => ({ tag: 'app', metadata: { url } }),
        }),
      ],
      controllers: [Signup],
    }).compile()
    const app = module.createNestApplication({ logger: false })
    await app.listen(0, '127.0.0.1')
    await fetch(await app.getUrl())
    expect(received()).toEqual([{ tag: 'signup', metadata: { url: '/' } }])
    await app.close()
  })
})
