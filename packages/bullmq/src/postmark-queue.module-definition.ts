import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
} from '@nestjs/common'
import type { ConnectionOptions } from 'bullmq'
import type { MailJobOptions } from './mail-job.js'
import type { MailWorkerOptions } from './mail-worker.js'

/** What `PostmarkQueueModule.forRoot` takes: the options of `createMailQueue`, and those of a worker. */
export interface PostmarkQueueModuleOptions extends Omit<MailJobOptions, 'idempotencyKey'> {
  /** As BullMQ takes it. @example { url: 'redis://localhost:6379' } */
  readonly connection: ConnectionOptions
  /** The name of the queue. Default `postmark-mail`. */
  readonly name?: string | undefined
  /** The prefix of BullMQ’s keys. Default `bull`. */
  readonly prefix?: string | undefined
  /**
   * The options of `createMailWorker`, in the processes that send. Default none: the application puts mail into the
   * queue, and another one sends it. @example { transporter, sendOnce, lookUp }
   */
  readonly worker?: Omit<MailWorkerOptions, 'connection' | 'name' | 'prefix'> | undefined
  /** Time for mails under way when the application shuts down, in milliseconds. Default 30,000. */
  readonly closeMs?: number | undefined
}

/** What `forRoot` and `forRootAsync` take besides the options. */
export interface PostmarkQueueExtras {
  /** Whether other modules may inject without importing this one. Default false. */
  readonly isGlobal?: boolean | undefined
}

/** What a class for `forRootAsync({ useClass })` or `useExisting` implements. */
export interface PostmarkQueueOptionsFactory {
  createPostmarkQueueOptions(): PostmarkQueueModuleOptions | Promise<PostmarkQueueModuleOptions>
}

type Method = 'forRoot'
type FactoryMethod = 'createPostmarkQueueOptions'

const host: ConfigurableModuleHost<PostmarkQueueModuleOptions, Method, FactoryMethod, PostmarkQueueExtras> =
  new ConfigurableModuleBuilder<PostmarkQueueModuleOptions>({ moduleName: 'PostmarkQueue' })
    .setClassMethodName<Method>('forRoot')
    .setFactoryMethodName<FactoryMethod>('createPostmarkQueueOptions')
    .setExtras<PostmarkQueueExtras>({ isGlobal: false }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal === true,
    }))
    .build()

/** The class that {@link PostmarkQueueModule} extends. */
export const ConfigurableModuleClass: ConfigurableModuleCls<
  PostmarkQueueModuleOptions,
  Method,
  FactoryMethod,
  PostmarkQueueExtras
> = host.ConfigurableModuleClass

/** The token of the options, inside the module. */
export const POSTMARK_QUEUE_OPTIONS: string | symbol = host.MODULE_OPTIONS_TOKEN
