// Command step-ca is upstream's authority with less around it: one way to start it, no profiler, no contexts, no linked
// account, and a database in which the backend alone revokes.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
	"github.com/smallstep/cli-utils/step"

	// Where a key may be: in a file, on a token, in a TPM, in AWS.
	_ "go.step.sm/crypto/kms/awskms"
	_ "go.step.sm/crypto/kms/pkcs11"
	_ "go.step.sm/crypto/kms/softkms"
	_ "go.step.sm/crypto/kms/tpmkms"

	_ "github.com/smallstep/certificates/cas/softcas"
)

// Version is set by the linker to that of upstream's module.
var Version = "unset"

func main() {
	passwordFile := flag.String("password-file", "", "`file` with the password of the authority's key")
	version := flag.Bool("version", false, "say which version this is")
	flag.Parse()
	if *version {
		fmt.Println("step-ca", Version)
		return
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: step-ca [--password-file file] ca.json")
		os.Exit(2)
	}
	if err := serve(flag.Arg(0), *passwordFile); err != nil {
		log.Fatal(err)
	}
}

// serve runs the authority of a configuration until it is told to end. SIGHUP has it read the configuration again, with the
// same database.
func serve(configFile, passwordFile string) error {
	if err := step.Init(); err != nil {
		return err
	}
	step.Set("Smallstep CA", Version, "")
	authority.GlobalVersion.Version = Version
	cfg, err := config.LoadConfiguration(configFile)
	if err != nil {
		return err
	}
	password, err := readPassword(passwordFile)
	if err != nil {
		return err
	}
	database, err := openDatabase(cfg.DB)
	if err != nil {
		return err
	}
	server, err := ca.New(cfg, ca.WithConfigFile(configFile), ca.WithPassword(password), ca.WithDatabase(database))
	if err != nil {
		return err
	}
	go ca.StopReloaderHandler(server)
	if err := server.Run(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func readPassword(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	password, err := os.ReadFile(file)
	return bytes.TrimSpace(password), err
}
