package com.facebook.react.common

/** The name of React Native's exception, which is recognised by it. */
class JavascriptException(message: String) : RuntimeException(message)
