import {
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnModuleInit,
} from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { createWebhookHandler, type NodeListener, toNodeListener } from '@postmark-smtp/webhooks'
import { checkAsyncOptions, checkOptions, namingModule, refuseBareModule } from './check-module-options.js'
import { PostmarkEvents } from './postmark-events.service.js'
import { createWebhooksController, WEBHOOKS_LISTENER } from './postmark-webhooks.controller.js'
import {
  ConfigurableWebhooksModuleClass,
  type PostmarkWebhooksExtras,
  type PostmarkWebhooksOptions,
  WEBHOOKS_OPTIONS,
} from './postmark-webhooks.module-definition.js'
import { readStaticOptions } from './static-options.js'

const NAME = 'PostmarkWebhooksModule'
const EXAMPLE = '{ auth: { basic: { username, password } } }'

/** Adds the route that Postmark's webhooks post to, and provides {@link PostmarkEvents}. */
@Module({ providers: [{ provide: WEBHOOKS_OPTIONS, useFactory: () => refuseBareModule(NAME) }] })
export class PostmarkWebhooksModule extends ConfigurableWebhooksModuleClass implements OnModuleInit {
  /**
   * Takes the options directly. If they are wrong or have no secret, the application does not start.
   * @example PostmarkWebhooksModule.forRoot({ auth: { basic: { username, password } }, path: 'hooks/postmark' })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  static override forRoot(options: PostmarkWebhooksExtras & PostmarkWebhooksOptions): DynamicModule {
    checkOptions(options, `${NAME}.forRoot`, EXAMPLE)
    return withRoute(ConfigurableWebhooksModuleClass.forRoot(options), options.path)
  }

  /**
   * Takes the options from a factory, a class or a provider, and `path` in addition. The options are created once, at
   * startup, so they cannot depend on a request.
   * @example
   * PostmarkWebhooksModule.forRootAsync({
   *   imports: [UsersModule],
   *   inject: [Users],
   *   useFactory: (users) => ({ auth, on: { bounced: (event) => users.markBounced(event.recipient) } }),
   * })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<PostmarkWebhooksOptions, 'createPostmarkWebhooksOptions'> &
      PostmarkWebhooksExtras,
  ): DynamicModule {
    checkAsyncOptions(options, `${NAME}.forRootAsync`)
    return withRoute(ConfigurableWebhooksModuleClass.forRootAsync(options), options.path)
  }

  constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {
    super()
  }

  /** Called by Nest at startup. */
  onModuleInit(): void {
    const cure = 'Let the handlers read what differs by request from the event.'
    readStaticOptions(this.modules, WEBHOOKS_OPTIONS, NAME, cure)
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

function createEvents(options: PostmarkWebhooksOptions): PostmarkEvents {
  checkOptions(options, NAME, EXAMPLE)
  return new PostmarkEvents(options.onError ?? logError)
}

/** Observers get an event after its handlers, so they never see one that Postmark posts again. */
function createListener(options: PostmarkWebhooksOptions, events: PostmarkEvents): NodeListener {
  const { on, onError = logError } = options
  const any: NonNullable<typeof on>['any'] = async (event) => {
    await on?.any?.(event)
    events.emit(event)
  }
  const handle = namingModule(NAME, () => createWebhookHandler({ ...options, on: { ...on, any }, onError }))
  return toNodeListener(handle)
}
