import { Controller, Get, Inject, Module } from '@nestjs/common'
import { HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { Test } from '@nestjs/testing'
import { startSmtpServer } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { PostmarkSmtpModule } from './index.js'
import { PostmarkHealthIndicator } from './terminus.js'

it('tells of each transporter whether its login succeeds, and logs in once for many probes', async () => {
  await using good = await startSmtpServer()
  await using bad = await startSmtpServer({ auth: [] })

  @Controller('health')
  class HealthController {
    constructor(
      @Inject(HealthCheckService) private readonly health: HealthCheckService,
      @Inject(PostmarkHealthIndicator) private readonly postmark: PostmarkHealthIndicator,
    ) {}
    @Get()
    main() {
      return this.health.check([() => this.postmark.isHealthy('mail')])
    }
    @Get('all')
    all() {
      return this.health.check([
        () => this.postmark.isHealthy('mail'),
        () => this.postmark.isHealthy('news', { name: 'news' }),
      ])
    }
  }
  @Module({
    imports: [TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
    providers: [PostmarkHealthIndicator],
  })
  class HealthModule {}

  const url = ({ port }: { port: number }) => `postmark+smtp://5ecret@127.0.0.1:${port}?plaintext=1`
  const module = await Test.createTestingModule({
    imports: [
      HealthModule,
      PostmarkSmtpModule.forRoot({ url: url(good) }),
      PostmarkSmtpModule.forRoot({ name: 'news', url: url(bad) }),
    ],
  }).compile()
  const app = module.createNestApplication({ logger: false })
  await app.listen(0, '127.0.0.1')
  const probe = async (path: string) => {
    const response = await fetch(`${await app.getUrl()}${path}`)
    return { status: response.status, body: await response.text() }
  }

  const probes = await Promise.all([probe('/health'), probe('/health'), probe('/health')])
  for (const { status, body } of probes) {
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ status: 'ok', info: { mail: { status: 'up' } } })
  }
  expect(good.logins).toHaveLength(1)

  const { status, body } = await probe('/health/all')
  expect(status).toBe(503)
  expect(JSON.parse(body)).toMatchObject({
    info: { mail: { status: 'up' } },
    error: { news: { status: 'down', code: 'EAUTH' } },
  })
  expect(body).not.toMatch(/5ecret|127\.0\.0\.1/)
  await app.close()
})
