// maintenance prints the time intervals of an Alertmanager configuration that contain each of the given times, by the code of
// Alertmanager itself. amtool has no such command, and Alertmanager has no other clock than that of the machine.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: maintenance alertmanager.yml TIME..")
		os.Exit(2)
	}
	loaded, err := config.LoadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, text := range os.Args[2:] {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		line := []string{text}
		for _, interval := range loaded.TimeIntervals {
			for _, part := range interval.TimeIntervals {
				if part.ContainsTime(at.UTC()) {
					line = append(line, interval.Name)
					break
				}
			}
		}
		fmt.Println(strings.Join(line, " "))
	}
}
