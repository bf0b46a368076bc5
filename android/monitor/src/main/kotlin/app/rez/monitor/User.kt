package app.rez.monitor

/**
 * The user of the app.
 *
 * @property id the app's id of the user.
 * @property email sent as given, unless [Settings.Builder.maskUser] is set.
 * @property username sent as given, unless [Settings.Builder.maskUser] is set.
 * @property properties other properties: null, texts, numbers, booleans, lists and maps of them.
 */
public class User @JvmOverloads constructor(
    public val id: String? = null,
    public val email: String? = null,
    public val username: String? = null,
    public val properties: Map<String, Any?> = emptyMap(),
)
