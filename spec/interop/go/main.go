// Command goport is containerd's ttrpc at either end of a connection to ours.
//
//	goport serve ADDRESS           the service that spec/unit/ttrpc_rig.h describes
//	goport call ADDRESS            calls that service, as our server has it
//	goport agent ADDRESS           calls a vaccelrt-agent with the noop plugin
//	goport record FOLDER           both ends are its own; what each of them writes, as files
//
// The three that call say `ok NAME` or `not ok NAME: why` of each case, and end with status 1 if
// there was one of the latter.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "goport:", err)
	os.Exit(2)
}

func listen(address string) net.Listener {
	listener, err := net.Listen("unix", strings.TrimPrefix(address, "unix://"))
	if err != nil {
		fail(err)
	}
	return listener
}

func dial(address string) net.Conn {
	conn, err := net.Dial("unix", strings.TrimPrefix(address, "unix://"))
	if err != nil {
		fail(err)
	}
	return conn
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: goport serve|call|agent|record ADDRESS|FOLDER"))
	}
	switch os.Args[1] {
	case "serve":
		serve(listen(os.Args[2]))
	case "call":
		report(callCases(func() net.Conn { return dial(os.Args[2]) }))
	case "agent":
		report(agentCases(func() net.Conn { return dial(os.Args[2]) }))
	case "record":
		record(os.Args[2])
	default:
		fail(fmt.Errorf("no command is called %q", os.Args[1]))
	}
}
