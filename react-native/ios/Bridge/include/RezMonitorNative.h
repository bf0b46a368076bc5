#import <Foundation/Foundation.h>

NS_ASSUME_NONNULL_BEGIN

/// The methods of the module without React Native's types: what Objective-C++ calls and Swift implements. `NativeRezMonitor.ts`
/// says what each does. None throws. Those with `answer` return at once and pass
/// their text to it on another thread.
@protocol RezMonitorNative <NSObject>

- (NSString *)open:(NSString *)settings facts:(NSString *)facts;
- (BOOL)recordBatch:(NSString *)json;
- (BOOL)recordFatal:(NSString *)json;
- (BOOL)setConsent:(NSString *)purpose consent:(NSString *)consent;
- (BOOL)forgetUser;
- (BOOL)setForeground:(BOOL)foreground;
- (BOOL)startSession;
- (NSString *)setFacts:(NSString *)json;
- (NSString *)setConditions:(NSString *)json;
- (NSString *)setRelease:(NSString *)release dist:(NSString *)dist;
- (NSString *)addDestinations:(NSString *)settings from:(NSString *)from;
- (NSString *)removeDestination:(NSString *)name;
- (NSString *)pauseDestination:(NSString *)name;
- (NSString *)resumeDestination:(NSString *)name;
- (NSString *)traceHeaders:(NSString *)trace url:(NSString *)url;
- (NSString *)status;
- (NSString *)metrics;
- (BOOL)clearMetrics;
- (NSString *)takeLog;
- (void)persist:(double)waitMs answer:(void (^)(NSString *))answer;
- (void)flush:(double)waitMs answer:(void (^)(NSString *))answer;
- (void)why:(NSString *)event waitMs:(double)waitMs answer:(void (^)(NSString *))answer;
- (void)inspect:(NSString *)request waitMs:(double)waitMs answer:(void (^)(NSString *))answer;
- (void)lastRun:(double)waitMs answer:(void (^)(NSString *))answer;
- (NSString *)testCrash:(NSString *)kind;
- (void)close:(double)waitMs answer:(void (^)(NSString *))answer;

@end

/// Finds the implementation by its name, so that no target has to import a header that Swift generates.
@interface RezMonitorFactory : NSObject

/// The implementation; `nil` if the Swift half is not linked.
+ (nullable id<RezMonitorNative>)make;

@end

NS_ASSUME_NONNULL_END
