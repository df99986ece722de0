<?php
// Identity API: an administrator creates an account; prints its id.
// Needs HEADCOUNT_API (base address), HEADCOUNT_ADMIN_TOKEN and HEADCOUNT_EMAIL, an address that has no account yet,
// PHP 8 and Guzzle 7:
// composer require guzzlehttp/guzzle, or Debian's php-guzzlehttp-guzzle.

declare(strict_types=1);

$autoloaders = [getcwd() . '/vendor/autoload.php', '/usr/share/php/GuzzleHttp/autoload.php'];
require current(array_filter($autoloaders, 'is_file'));

use GuzzleHttp\Client;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;

$busy = fn ($retries, $request, $response, $error) =>
    $retries < 3 && ($error !== null || in_array($response->getStatusCode(), [429, 503], true));
$wait = fn ($retries, $response) => 1000 * (int) ($response?->getHeaderLine('Retry-After') ?: 1);
$handler = HandlerStack::create();
$handler->push(Middleware::retry($busy, $wait));
$client = new Client(['base_uri' => getenv('HEADCOUNT_API'), 'handler' => $handler, 'timeout' => 30]);

$response = $client->post('/v1/accounts', [
    'http_errors' => false,
    'headers' => [
        'Authorization' => 'Bearer ' . getenv('HEADCOUNT_ADMIN_TOKEN'),
        // One key per intent: a request that is sent again finds its own account, not "email_exists".
        'Idempotency-Key' => bin2hex(random_bytes(16)),
    ],
    'json' => [
        'email' => getenv('HEADCOUNT_EMAIL'),
        'name' => 'Acme Inc.',
        'type' => 'business',
        'password' => 'secure_password_here',
        'settings' => ['currency' => 'USD', 'timezone' => 'America/New_York', 'language' => 'en'],
    ],
]);
$body = json_decode((string) $response->getBody(), true);
if ($response->getStatusCode() !== 201) {
    fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
    foreach ($body['details'] ?? [] as $fault) {
        fprintf(STDERR, "  %s: %s\n", $fault['field'], $fault['message']);
    }
    exit(1);
}
echo $body['id'], "\n";
