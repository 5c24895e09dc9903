<?xml version="1.0" encoding="UTF-8"?>
<!-- IIS with URL Rewrite 2.1 and Application Request Routing 3, in front of a Windows service on 127.0.0.1:3000 (see
     arcgis-sign-in.winsw.xml). Save it as web.config, ALONE in the site's folder. Once, in an elevated PowerShell:

  & $env:windir\system32\inetsrv\appcmd.exe set config /section:system.webServer/proxy /enabled:True /preserveHostHeader:True /reverseRewriteHostInResponseHeaders:False /includePortInXForwardedFor:False /timeout:00:16:00 /commit:apphost
  & $env:windir\system32\inetsrv\appcmd.exe set config /section:system.webServer/rewrite/allowedServerVariables "/+[name='HTTP_X_FORWARDED_PROTO']" /commit:apphost

     reverseRewriteHostInResponseHeaders is True by default. IIS then changes the redirect to the portal into one to this
     server, and every sign-in ends on the page redirect_rewritten. -->
<configuration>
  <system.webServer>
    <rewrite>
      <rules>
        <rule name="https only" stopProcessing="true">
          <match url="(.*)" />
          <conditions>
            <add input="{HTTPS}" pattern="^off$" />
          </conditions>
          <action type="Redirect" url="https://{HTTP_HOST}/{R:1}" redirectType="Permanent" />
        </rule>
        <rule name="metrics are for programs on this machine" stopProcessing="true">
          <match url="^metrics" />
          <action type="CustomResponse" statusCode="404" statusReason="Not Found" />
        </rule>
        <rule name="arcgis-sign-in" stopProcessing="true">
          <match url="(.*)" />
          <serverVariables>
            <!-- ARR itself only sends X-ARR-SSL. -->
            <set name="HTTP_X_FORWARDED_PROTO" value="https" />
          </serverVariables>
          <action type="Rewrite" url="http://127.0.0.1:3000/{R:1}" />
        </rule>
      </rules>
    </rewrite>
    <httpErrors existingResponse="PassThrough" />
    <security>
      <requestFiltering>
        <requestLimits maxAllowedContentLength="268435456" maxUrl="16384" maxQueryString="16384" />
      </requestFiltering>
    </security>
  </system.webServer>
</configuration>
