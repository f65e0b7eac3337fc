import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
} from '@nestjs/common'
import type { WebhookHandlerOptions, WebhookHandlers } from '@postmark-smtp/webhooks'

/** The options of `PostmarkWebhooksModule.forRoot`: those of `createWebhookHandler`, but `on` is optional. */
export interface PostmarkWebhooksOptions extends Omit<WebhookHandlerOptions, 'on'> {
  /** Handlers of events. If one throws, Postmark posts the event again. */
  readonly on?: WebhookHandlers | undefined
}

/** Properties that `forRoot` and `forRootAsync` accept in addition to the options. */
export interface PostmarkWebhooksExtras {
  /** The path that Postmark posts to, after the global prefix. Default `webhooks/postmark`. */
  readonly path?: string | undefined
  /** Whether other modules may inject `PostmarkEvents` without importing this one. Default false. */
  readonly isGlobal?: boolean | undefined
}

/** The interface of a class for `forRootAsync({ useClass })` or `useExisting`. */
export interface PostmarkWebhooksOptionsFactory {
  createPostmarkWebhooksOptions(): PostmarkWebhooksOptions | Promise<PostmarkWebhooksOptions>
}

type Method = 'forRoot'
type FactoryMethod = 'createPostmarkWebhooksOptions'

const host: ConfigurableModuleHost<PostmarkWebhooksOptions, Method, FactoryMethod, PostmarkWebhooksExtras> =
  new ConfigurableModuleBuilder<PostmarkWebhooksOptions>({ moduleName: 'PostmarkWebhooks' })
    .setClassMethodName<Method>('forRoot')
    .setFactoryMethodName<FactoryMethod>('createPostmarkWebhooksOptions')
    .setExtras<PostmarkWebhooksExtras>({ path: undefined, isGlobal: false }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal === true,
    }))
    .build()

/** The class that {@link PostmarkWebhooksModule} extends. */
export const ConfigurableWebhooksModuleClass: ConfigurableModuleCls<
  PostmarkWebhooksOptions,
  Method,
  FactoryMethod,
  PostmarkWebhooksExtras
> = host.ConfigurableModuleClass

/** The token of the options, inside the module. */
export const WEBHOOKS_OPTIONS: string | symbol = host.MODULE_OPTIONS_TOKEN
