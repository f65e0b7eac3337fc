import {
  type BeforeApplicationShutdown,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { PostmarkError } from '@postmark-smtp/core'
import type { Job } from 'bullmq'
import { createMailWorker, type MailWorker } from './mail-worker.js'
import { PostmarkMailQueue } from './postmark-mail-queue.service.js'
import {
  ConfigurableModuleClass,
  POSTMARK_QUEUE_OPTIONS,
  type PostmarkQueueExtras,
  type PostmarkQueueModuleOptions,
} from './postmark-queue.module-definition.js'

/**
 * Provides a {@link PostmarkMailQueue}, and runs a worker if the options have one. The worker starts when the application
 * has started. At shutdown, it ends together with its transporter, before the modules that provide the transporter. The
 * queue closes after the last request. For signals, call `app.enableShutdownHooks()`. A job that fails for good is an error
 * in Nest's log, without an address.
 */
@Module({})
export class PostmarkQueueModule
  extends ConfigurableModuleClass
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private worker: MailWorker | undefined

  /**
   * Takes the options as a value.
   * @example PostmarkQueueModule.forRoot({ connection: { url: process.env.REDIS_URL } })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS when the application starts
   */
  static override forRoot(options: PostmarkQueueExtras & PostmarkQueueModuleOptions): DynamicModule {
    return withQueue(ConfigurableModuleClass.forRoot(options))
  }

  /**
   * Takes the options from a factory, a class or a provider, which can inject dependencies.
   * @example PostmarkQueueModule.forRootAsync({ inject: [ConfigService], useFactory: (config) => config.get('queue') })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS when the application starts
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<PostmarkQueueModuleOptions, 'createPostmarkQueueOptions'> &
      PostmarkQueueExtras,
  ): DynamicModule {
    return withQueue(ConfigurableModuleClass.forRootAsync(options))
  }

  // Not the options themselves: if they depend on a request, Nest silently leaves this class incomplete.
  constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {
    super()
  }

  /** Called by Nest at start. */
  onApplicationBootstrap(): void {
    const { connection, name, prefix, worker } = this.get<PostmarkQueueModuleOptions>(POSTMARK_QUEUE_OPTIONS)
    if (!worker) return
    this.worker = createMailWorker({ ...worker, connection, name, prefix })
    this.worker.worker.on('failed', reportFailure)
  }

  /** Called by Nest while requests may still come. */
  async beforeApplicationShutdown(): Promise<void> {
    const { closeMs } = this.get<PostmarkQueueModuleOptions>(POSTMARK_QUEUE_OPTIONS)
    await this.worker?.close({ deadlineMs: closeMs })
  }

  /** Called by Nest after the last request. */
  async onApplicationShutdown(): Promise<void> {
    // A queue that a test provides instead may have no close.
    await this.get<Partial<PostmarkMailQueue>>(PostmarkMailQueue).close?.()
  }

  private get<T extends object>(token: string | symbol | typeof PostmarkMailQueue): T {
    try {
      return this.modules.get<T>(token, { strict: true })
    } catch (cause) {
      throw new PostmarkError(
        'ERR_POSTMARK_OPTIONS',
        'PostmarkQueueModule has no options, or its options depend on the request (REQUEST, or a request-scoped ' +
          'provider), but they are read only once. Import PostmarkQueueModule.forRoot({ connection }).',
        { cause },
      )
    }
  }
}

const logger = new Logger('PostmarkQueue')
const FAILURES = ['not-sent', 'deferred', 'rejected', 'unknown', 'refused'] as const

/** Logs a job that is not retried, by the outcome in its error. Not its reason: a reply of the server may contain an address. */
function reportFailure(job: Job | undefined, { outcome }: Error & { readonly outcome?: unknown }): void {
  if (job?.finishedOn === undefined) return
  const what = FAILURES.find((each) => each === outcome) ?? 'failed'
  logger.error(`Job ${job.id} of the queue ${job.queueName} failed: ${what}. Its failedReason says why.`)
}

function withQueue(definition: DynamicModule): DynamicModule {
  return {
    ...definition,
    module: PostmarkQueueModule,
    providers: [...(definition.providers ?? []), PostmarkMailQueue],
    exports: [PostmarkMailQueue],
  }
}
