//! A Java VM in the app's process, called without a program in Java.

use super::print_line;
use jni_sys::{JNI_OK, JNI_VERSION_1_6, JNIEnv, JavaVM, JavaVMInitArgs, JavaVMOption, jint, jvalue};
use std::ffi::{CString, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

type Create = unsafe extern "system" fn(*mut *mut JavaVM, *mut *mut c_void, *mut c_void) -> jint;

/// What the thread that started the VM calls it with.
static ENV: AtomicPtr<JNIEnv> = AtomicPtr::new(null_mut());

/// Starts the VM of this library on this thread.
pub fn start(library: &str, report: &str) {
    let library = CString::new(library).expect("a path");
    let options = ["-Xmx64m", "-XX:-CreateCoredumpOnCrash", &format!("-XX:ErrorFile={report}")];
    let texts = options.map(|text| CString::new(text).expect("an option").into_raw());
    let mut options = texts.map(|text| JavaVMOption { optionString: text, extraInfo: null_mut() });
    let (mut vm, mut env) = (null_mut(), null_mut());
    // SAFETY: the library exports this function, and all pointers live until the process ends.
    unsafe {
        let library = libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
        assert!(!library.is_null(), "no Java VM");
        let create: Create = std::mem::transmute(libc::dlsym(library, c"JNI_CreateJavaVM".as_ptr()));
        let mut args = JavaVMInitArgs {
            version: JNI_VERSION_1_6,
            nOptions: 3,
            options: options.as_mut_ptr(),
            ignoreUnrecognized: false,
        };
        assert_eq!(create(&raw mut vm, &raw mut env, (&raw mut args).cast()), JNI_OK);
    }
    ENV.store(env.cast(), Ordering::SeqCst);
}

/// Lets Java use a null reference again and again: the VM makes an exception of each fault.
pub fn use_null() {
    let env = ENV.load(Ordering::SeqCst);
    let mut exceptions = 0;
    // SAFETY: the thread that started the VM calls methods that are there with arguments of their types.
    unsafe {
        let java = (**env).v1_6;
        let class = (java.FindClass)(env, c"java/lang/String".as_ptr());
        let value_of = (java.GetStaticMethodID)(env, class, c"valueOf".as_ptr(), c"([C)Ljava/lang/String;".as_ptr());
        let null = jvalue { l: null_mut() };
        for _ in 0..1_000 {
            (java.CallStaticObjectMethodA)(env, class, value_of, &raw const null);
            exceptions += u32::from(!(java.ExceptionOccurred)(env).is_null());
            (java.ExceptionClear)(env);
        }
    }
    print_line(&format!("exceptions {exceptions}"));
}
