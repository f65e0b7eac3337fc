import { type ConfigurableModuleAsyncOptions, type DynamicModule, Logger, Module } from '@nestjs/common'
import { createWebhookHandler, type NodeListener, toNodeListener } from '@postmark-smtp/webhooks'
import { PostmarkEvents } from './postmark-events.service.js'
import { createWebhooksController, WEBHOOKS_LISTENER } from './postmark-webhooks.controller.js'
import {
  ConfigurableWebhooksModuleClass,
  type PostmarkWebhooksExtras,
  type PostmarkWebhooksOptions,
  WEBHOOKS_OPTIONS,
} from './postmark-webhooks.module-definition.js'

/** Takes the posts of Postmark's webhooks on a route of its own, and provides {@link PostmarkEvents}. */
@Module({})
export class PostmarkWebhooksModule extends ConfigurableWebhooksModuleClass {
  /**
   * Takes the options as they are. Wrong ones, and none for a secret, stop the application at start.
   * @example PostmarkWebhooksModule.forRoot({ auth: { basic: { username, password } }, path: 'hooks/postmark' })
   */
  static override forRoot(options: PostmarkWebhooksExtras & PostmarkWebhooksOptions): DynamicModule {
    return withRoute(ConfigurableWebhooksModuleClass.forRoot(options), options.path)
  }

  /**
   * Takes the options from a factory, a class or a provider, with what they inject; `path` is given next to it.
   * @example
   * PostmarkWebhooksModule.forRootAsync({
   *   imports: [UsersModule],
   *   inject: [Users],
   *   useFactory: (users) => ({ auth, on: { bounced: (event) => users.markBounced(event.recipient) } }),
   * })
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<PostmarkWebhooksOptions, 'createPostmarkWebhooksOptions'> &
      PostmarkWebhooksExtras,
  ): DynamicModule {
    return withRoute(ConfigurableWebhooksModuleClass.forRootAsync(options), options.path)
  }
}

function withRoute(definition: DynamicModule, path = 'webhooks/postmark'): DynamicModule {
  return {
    ...definition,
    module: PostmarkWebhooksModule,
    controllers: [createWebhooksController(path)],
    providers: [
      ...(definition.providers ?? []),
      { provide: PostmarkEvents, useFactory: createEvents, inject: [WEBHOOKS_OPTIONS] },
      { provide: WEBHOOKS_LISTENER, useFactory: createListener, inject: [WEBHOOKS_OPTIONS, PostmarkEvents] },
    ],
    exports: [PostmarkEvents],
  }
}

const logger = new Logger('PostmarkWebhooks')
const logError = (error: unknown) => logger.error(error)

function createEvents({ onError = logError }: PostmarkWebhooksOptions): PostmarkEvents {
  return new PostmarkEvents(onError)
}

/** Observers get an event after its handlers, so that they see none that Postmark posts again. */
function createListener(options: PostmarkWebhooksOptions, events: PostmarkEvents): NodeListener {
  const { on, onError = logError } = options
  const any: NonNullable<typeof on>['any'] = async (event) => {
    await on?.any?.(event)
    events.emit(event)
  }
  return toNodeListener(createWebhookHandler({ ...options, on: { ...on, any }, onError }))
}
