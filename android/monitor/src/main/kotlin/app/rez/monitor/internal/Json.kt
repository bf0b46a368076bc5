package app.rez.monitor.internal

/** Writes maps, lists, texts, numbers and booleans as JSON. A number that is not finite becomes null. */
internal fun json(value: Any?): String = StringBuilder().also { write(value, it) }.toString()

private fun write(value: Any?, to: StringBuilder) {
    when (value) {
        null -> to.append("null")
        is Boolean, is Int, is Long -> to.append(value)
        is Double -> if (value.isFinite()) to.append(value) else to.append("null")
        is Map<*, *> -> {
            var separator = '{'
            for ((name, member) in value) {
                to.append(separator)
                quote(name.toString(), to)
                to.append(':')
                write(member, to)
                separator = ','
            }
            if (separator == '{') to.append('{')
            to.append('}')
        }
        is Iterable<*> -> {
            var separator = '['
            for (element in value) {
                to.append(separator)
                write(element, to)
                separator = ','
            }
            if (separator == '[') to.append('[')
            to.append(']')
        }
        else -> quote(value.toString(), to)
    }
}

private fun quote(text: String, to: StringBuilder) {
    to.append('"')
    for (unit in text) {
        when {
            unit == '"' || unit == '\\' -> to.append('\\').append(unit)
            unit < ' ' -> to.append("\\u").append(unit.code.toString(16).padStart(4, '0'))
            else -> to.append(unit)
        }
    }
    to.append('"')
}
