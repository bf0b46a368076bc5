#import "RezMonitorNative.h"

@implementation RezMonitorFactory

+ (id<RezMonitorNative>)make {
  Class found = NSClassFromString(@"RezMonitorImpl");
  return [found conformsToProtocol:@protocol(RezMonitorNative)] ? [[found alloc] init] : nil;
}

@end
