import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleCls,
  type ConfigurableModuleHost,
} from '@nestjs/common'
import type { PostmarkModuleExtras, PostmarkModuleOptions } from './postmark-module-options.interface.js'

type Method = 'forRoot'
type FactoryMethod = 'createPostmarkOptions'

const host: ConfigurableModuleHost<PostmarkModuleOptions, Method, FactoryMethod, PostmarkModuleExtras> =
  new ConfigurableModuleBuilder<PostmarkModuleOptions>({ moduleName: 'Postmark' })
    .setClassMethodName<Method>('forRoot')
    .setFactoryMethodName<FactoryMethod>('createPostmarkOptions')
    .setExtras<PostmarkModuleExtras>({ name: undefined, isGlobal: false }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal === true,
    }))
    .build()

/** The class that {@link PostmarkSmtpModule} extends. */
export const ConfigurableModuleClass: ConfigurableModuleCls<
  PostmarkModuleOptions,
  Method,
  FactoryMethod,
  PostmarkModuleExtras
> = host.ConfigurableModuleClass

/** The token of the options, inside the module. */
export const POSTMARK_OPTIONS: string | symbol = host.MODULE_OPTIONS_TOKEN
