import {
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  type NestInterceptor,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common'
import { APP_INTERCEPTOR, HttpAdapterHost, ModuleRef } from '@nestjs/core'
import type { PostmarkTransporter } from '@postmark-smtp/core'
import { checkAsyncOptions, checkOptions, refuseBareModule } from './check-module-options.js'
import { createTransporter } from './create-transporter.js'
import { openRequestScope } from './open-request-scope.js'
import { ConfigurableModuleClass, POSTMARK_OPTIONS } from './postmark.module-definition.js'
import { PostmarkMailer } from './postmark-mailer.service.js'
import { PostmarkMessageInterceptor } from './postmark-message.interceptor.js'
import type { PostmarkModuleExtras, PostmarkModuleOptions } from './postmark-module-options.interface.js'
import { getPostmarkToken } from './postmark-token.js'
import { getStatic, readStaticOptions } from './static-options.js'

/** The transporter of one module, whatever its name. */
const TRANSPORTER = Symbol('PostmarkTransporter of this module')

const NAME = 'PostmarkSmtpModule'

/**
 * Provides a transporter, and a {@link PostmarkMailer} if the module has no name. The transporter is closed when the
 * application shuts down, after every hook of the modules that import it.
 */
@Module({ providers: [{ provide: POSTMARK_OPTIONS, useFactory: () => refuseBareModule(NAME) }] })
export class PostmarkSmtpModule
  extends ConfigurableModuleClass
  implements NestModule, OnModuleInit, OnApplicationShutdown
{
  /**
   * Takes the options directly. If they are wrong, the application does not start.
   * @example PostmarkSmtpModule.forRoot({ serverToken, context: (request) => ({ metadata: { path: request.url } }) })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  static override forRoot(options: PostmarkModuleExtras & PostmarkModuleOptions): DynamicModule {
    checkOptions(options, `${NAME}.forRoot`, '{ url }')
    const interceptors = options.messageContext === undefined ? [] : [interceptor]
    return withTransporter(ConfigurableModuleClass.forRoot(options), options.name, interceptors)
  }

  /**
   * Takes the options from a factory, a class or a provider. The options are created once, at startup, so they cannot
   * depend on a request.
   * @example PostmarkSmtpModule.forRootAsync({ inject: [ConfigService], useFactory: (config) => config.get('mail') })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<PostmarkModuleOptions, 'createPostmarkOptions'> &
      PostmarkModuleExtras,
  ): DynamicModule {
    checkAsyncOptions(options, `${NAME}.forRootAsync`)
    return withTransporter(ConfigurableModuleClass.forRootAsync(options), options.name, [interceptor])
  }

  // Does not inject the options: if they depend on a request, Nest would leave this class incomplete, without an error.
  constructor(
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {
    super()
  }

  /** Called by Nest before it registers middleware and routes. */
  configure(): void {
    const { context } = readOptions(this.modules)
    if (context) openRequestScope(this.adapterHost.httpAdapter, context)
  }

  /** Called by Nest at startup, with or without an HTTP server. */
  onModuleInit(): void {
    readOptions(this.modules)
  }

  /** Called by Nest after the last request. */
  async onApplicationShutdown(): Promise<void> {
    // A transporter that a test provides instead may have no close.
    await getStatic<PostmarkTransporter>(this.modules, TRANSPORTER)?.close?.()
  }
}

/** @throws PostmarkError ERR_POSTMARK_OPTIONS if they depend on a request */
function readOptions(modules: ModuleRef): PostmarkModuleOptions {
  const cure =
    'For fields that depend on the request, use the option context: (request) => fields. ' +
    'For several servers, import one named module for each, or give streams their own credentials.'
  return readStaticOptions(modules, POSTMARK_OPTIONS, NAME, cure)
}

/** {@link PostmarkMessageInterceptor} for the whole application. It reads the options when the first handler runs. */
const interceptor: Provider = {
  provide: APP_INTERCEPTOR,
  useFactory: (modules: ModuleRef): NestInterceptor => {
    let made: PostmarkMessageInterceptor | undefined
    return {
      intercept(context, next) {
        made ??= new PostmarkMessageInterceptor(readOptions(modules))
        return made.intercept(context, next)
      },
    }
  },
  inject: [ModuleRef],
}

function withTransporter(
  definition: DynamicModule,
  name: string | undefined,
  interceptors: readonly Provider[],
): DynamicModule {
  const token = getPostmarkToken(name)
  const mailers = name === undefined ? [PostmarkMailer] : []
  return {
    ...definition,
    module: PostmarkSmtpModule,
    providers: [
      ...(definition.providers ?? []),
      {
        provide: token,
        useFactory: (options: PostmarkModuleOptions) => createTransporter(options, name),
        inject: [POSTMARK_OPTIONS],
      },
      { provide: TRANSPORTER, useExisting: token },
      ...mailers,
      ...interceptors,
    ],
    // The options are exported for PostmarkMessageInterceptor, which a gateway may use.
    exports: [token, ...mailers, ...(name === undefined ? [POSTMARK_OPTIONS] : [])],
  }
}
