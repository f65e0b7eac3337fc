import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
} from '@nestjs/common'
import type { ConnectionOptions } from 'bullmq'
import type { MailJobOptions } from './mail-job.js'
import type { MailWorkerOptions } from './mail-worker.js'

/** Options of `PostmarkQueueModule.forRoot`: those of `createMailQueue`, and those of a worker. */
export interface PostmarkQueueModuleOptions extends Omit<MailJobOptions, 'idempotencyKey'> {
  /** A connection as BullMQ accepts it. @example { url: 'redis://localhost:6379' } */
  readonly connection: ConnectionOptions
  /** The name of the queue. Default `postmark-mail`. */
  readonly name?: string | undefined
  /** The prefix of BullMQ’s keys. Default `bull`. */
  readonly prefix?: string | undefined
  /**
   * The options of `createMailWorker`, in the processes that send. Default none: the application adds mail to the queue,
   * and another process sends it. @example { transporter, sendOnce, lookUp }
   */
  readonly worker?: Omit<MailWorkerOptions, 'connection' | 'name' | 'prefix'> | undefined
  /** How long emails under way may take when the application shuts down, in milliseconds. Default 30,000. */
  readonly closeMs?: number | undefined
}

/** What `forRoot` and `forRootAsync` accept in addition to the options. */
export interface PostmarkQueueExtras {
  /** Whether other modules can inject the queue without importing this module. Default false. */
  readonly isGlobal?: boolean | undefined
}

/** The interface of a class for `forRootAsync({ useClass })` or `useExisting`. */
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
