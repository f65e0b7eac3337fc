import 'reflect-metadata'
import {
  type DynamicModule,
  type INestApplicationContext,
  Inject,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { PostmarkQueueModule } from '@postmark-smtp/bullmq/nestjs'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'

/** Where the worker gets its emails, and where it sends them. */
export interface WorkerSettings {
  readonly redisUrl: string
  readonly postmarkUrl: string
}

@Module({})
class WorkerModule implements OnApplicationShutdown {
  constructor(@Inject(Redis) private readonly redis: Redis) {}

  async onApplicationShutdown(): Promise<void> {
    await this.redis.quit()
  }
}

function createWorkerModule({ redisUrl, postmarkUrl }: WorkerSettings): DynamicModule {
  const redis = new Redis(redisUrl)
  const sendOnce = createRedisSendOnce(redis)
  // Each order belongs to a tenant. A job without a tenant was created outside the scope of its request, so it fails.
  const requireScope = { metadata: 'tenant' }
  const transporter = createPostmarkTransport({
    ...{ url: postmarkUrl, sendOnce, requireScope },
    retry: { attempts: 2 },
  })
  // With `lookUp`, as in examples/queue, the worker asks Postmark about an email whose reply was lost.
  const worker = { transporter, sendOnce }
  return {
    module: WorkerModule,
    imports: [PostmarkQueueModule.forRoot({ connection: { url: redisUrl }, worker })],
    providers: [{ provide: Redis, useValue: redis }],
  }
}

/** Starts an application without HTTP that sends the emails of the queue, each at most once. */
export async function startWorker(settings: WorkerSettings): Promise<INestApplicationContext> {
  const app = await NestFactory.createApplicationContext(createWorkerModule(settings), { logger: false })
  return app.enableShutdownHooks()
}

if (process.argv[1] === import.meta.filename) {
  const { REDIS_URL: redisUrl, POSTMARK_URL: postmarkUrl } = process.env
  if (!redisUrl || !postmarkUrl) throw new Error('Set REDIS_URL and POSTMARK_URL')
  await startWorker({ redisUrl, postmarkUrl })
}
