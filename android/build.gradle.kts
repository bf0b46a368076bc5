// The build of the AAR for apps. The tests run with Maven (pom.xml), which needs no Android SDK.
plugins {
    id("com.android.library") version "8.13.0" apply false
    id("org.jetbrains.kotlin.android") version "2.4.21" apply false
}
