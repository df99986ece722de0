<?php
// Identity API: an account logs in, gets new tokens, looks at itself and its sessions, and logs out; prints its id.
// Needs HEADCOUNT_API (base address), HEADCOUNT_EMAIL and HEADCOUNT_PASSWORD, PHP 8 and Guzzle 7:
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
$client = new Client(['base_uri' => getenv('HEADCOUNT_API'), 'handler' => $handler, 'timeout' => 30, 'http_errors' => false]);

function call(Client $client, string $method, string $path, array $options): array
{
    $response = $client->request($method, $path, $options);
    $body = json_decode((string) $response->getBody(), true);
    if ($response->getStatusCode() !== 200) {
        fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
        exit(1);
    }
    return $body;
}

$wish = ['email' => getenv('HEADCOUNT_EMAIL'), 'password' => getenv('HEADCOUNT_PASSWORD')];
$tokens = call($client, 'POST', '/v1/auth/login', ['json' => $wish]);
// Within the hour: both tokens are new, and the old ones end.
$refresh = ['headers' => ['Authorization' => 'Bearer ' . $tokens['refresh_token']]];
$tokens = call($client, 'POST', '/v1/auth/refresh', $refresh);
$own = ['headers' => ['Authorization' => 'Bearer ' . $tokens['access_token']]];
$account = call($client, 'GET', '/v1/account', $own);
$sessions = call($client, 'GET', '/v1/auth/sessions', $own);
fprintf(STDERR, "%d session(s)\n", count($sessions['data']));
call($client, 'DELETE', '/v1/auth/session', $own);
echo $account['id'], "\n";
