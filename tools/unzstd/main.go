// Command unzstd unpacks zstd for machines that have none: what a bundle's start.sh takes out of its first segment, and, under another
// name with NAME.zst beside it, the program that is packed there, which it then becomes.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Version is set by the linker to that of the zstd module.
var Version = "unset"

// maxWindow is the largest window of a bundle's segments: 128 MiB.
const maxWindow = 1 << 27

func main() {
	if packed := packedBeside(); packed != "" {
		fail(become(packed))
	}
	listed := flag.String("list", "", "`file` that says what the stream holds; without it everything goes to standard output")
	to := flag.String("to", "", "`folder` that what is listed goes to")
	version := flag.Bool("version", false, "say which version this is")
	flag.Parse()
	if *version {
		fmt.Println("unzstd", Version)
		return
	}
	fail(unpack(os.Stdin, *listed, *to))
}

func fail(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "unzstd:", err)
	os.Exit(1)
}

func unpack(packed io.Reader, listed, to string) error {
	decoder, err := decoderOf(packed)
	if err != nil {
		return err
	}
	defer decoder.Close()
	if listed == "" {
		_, err = io.Copy(os.Stdout, decoder)
		return err
	}
	list, err := os.Open(listed)
	if err != nil {
		return err
	}
	defer list.Close()
	return take(decoder, list, to)
}

func decoderOf(packed io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(bufio.NewReaderSize(packed, 1<<20), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
}
